// Sums by number of a group, over columns of doubles: exact, because what might not fit a double is set aside as bigint first.
import { EXACT_LIMIT, type PackedColumn, valueAt } from "./rollup-pack";

const FIRST_ROOM = 256;
const MOST_ROOM = 65_536;
/** Group numbers are looked up in pages, so that far-apart ones (runs, years of users) cost no room in between. */
const PAGE_BITS = 12;
const PAGE = 2 ** PAGE_BITS;

/** Row numbers of a column; undefined: all of them. */
export type Chosen = Uint32Array | undefined;

export class Sums {
  /** Group number → its place here, plus one. */
  readonly #pages: Int32Array[] = [];
  #ids: Int32Array;
  #size = 0;
  readonly #columns: Float64Array[];
  /** What was set aside of a measure, by place. */
  readonly #aside: (bigint[] | undefined)[];
  /** All that a column holds, at most. */
  readonly #held: number[];

  /** `measures`: how many sums each group has. `groups`: how many there may be, as far as is known: room that need not grow. */
  constructor(measures: number, groups = 0) {
    const room = Math.max(FIRST_ROOM, Math.min(groups, MOST_ROOM));
    this.#ids = new Int32Array(room);
    this.#columns = Array.from({ length: measures }, () => new Float64Array(room));
    this.#aside = new Array(measures).fill(undefined);
    this.#held = new Array(measures).fill(0);
  }

  /** Number of groups. */
  get size(): number {
    return this.#size;
  }

  /** Whether every sum is in `values`. */
  exactInDoubles(measure: number): boolean {
    return this.#aside[measure] === undefined;
  }

  /** A measure's sums by place, where `exactInDoubles`. */
  values(measure: number): Float64Array {
    return (this.#columns[measure] as Float64Array).subarray(0, this.#size);
  }

  /** The group at a place. */
  idAt(place: number): number {
    return this.#ids[place] as number;
  }

  /** Of all groups. */
  totalOf(measure: number): bigint {
    // All of it together fits a double, or it would have been set aside.
    let inDoubles = 0;
    const sums = this.values(measure);
    // By index: an iterator over fifty thousand groups takes as long as their blocks.
    for (let place = 0; place < sums.length; place++) inDoubles += sums[place] as number;
    return (this.#aside[measure] ?? []).reduce((sum, value) => sum + (value ?? 0n), BigInt(inDoubles));
  }

  /** A sum, as a number where a double holds it. */
  figureAt(measure: number, place: number): number | bigint {
    return this.exactInDoubles(measure) ? (this.#columns[measure]?.[place] ?? 0) : this.sumAt(measure, place);
  }

  sumAt(measure: number, place: number): bigint {
    return BigInt(this.#columns[measure]?.[place] ?? 0) + (this.#aside[measure]?.[place] ?? 0n);
  }

  /** Where each row's group stands, for the chosen rows of a column of group numbers, each divided by `step` and rounded down. */
  placesOf(ids: PackedColumn, chosen: Chosen, step = 1): Int32Array {
    const count = chosen === undefined ? ids.count : chosen.length;
    const places = new Int32Array(count);
    if (ids.values === undefined) return places.fill(count === 0 ? 0 : this.placeOf(Math.floor(ids.base / step)));
    if (ids.values instanceof BigInt64Array) throw new RangeError("A group's number is beyond what a double holds");
    const { base, values } = ids;
    const pages = this.#pages;
    for (let n = 0; n < count; n++) {
      const number = base + (values[chosen === undefined ? n : (chosen[n] as number)] as number);
      const id = step === 1 ? number : Math.floor(number / step);
      // What is known already, which is most of it, without a call.
      const known = pages[id >>> PAGE_BITS]?.[id & (PAGE - 1)] ?? 0;
      places[n] = known === 0 ? this.placeOf(id) : known - 1;
    }
    return places;
  }

  placeOf(id: number): number {
    const page = this.#pages[id >>> PAGE_BITS] ?? this.#newPage(id >>> PAGE_BITS);
    const known = page[id & (PAGE - 1)] as number;
    if (known !== 0) return known - 1;
    if (this.#size === this.#ids.length) this.#grow();
    this.#ids[this.#size] = id;
    page[id & (PAGE - 1)] = ++this.#size;
    return this.#size - 1;
  }

  /** Adds the chosen rows of a column, each to its place. */
  add(measure: number, places: Int32Array, column: PackedColumn, chosen: Chosen): void {
    const { base, values } = column;
    if (values === undefined && base === 0) return;
    if (values instanceof BigInt64Array || column.total >= EXACT_LIMIT) {
      this.#addAside(measure, places, column, chosen);
      return;
    }
    this.#makeRoom(measure, column.total);
    const sums = this.#columns[measure] as Float64Array;
    if (values === undefined) addConstant(sums, places, base);
    else if (chosen !== undefined) addChosen(sums, places, base, values, chosen);
    else if (values instanceof Uint8Array) addBytes(sums, places, base, values);
    else if (values instanceof Uint16Array) addShorts(sums, places, base, values);
    else if (values instanceof Uint32Array) addInts(sums, places, base, values);
    else addDoubles(sums, places, base, values);
  }

  /** Adds one figure to one place. */
  addOne(measure: number, place: number, figure: number | bigint): void {
    if (figure >= EXACT_LIMIT) {
      this.#asideOf(measure)[place] = (this.#aside[measure]?.[place] ?? 0n) + BigInt(figure);
      return;
    }
    this.#makeRoom(measure, Number(figure));
    const sums = this.#columns[measure] as Float64Array;
    sums[place] = (sums[place] as number) + Number(figure);
  }

  #addAside(measure: number, places: Int32Array, column: PackedColumn, chosen: Chosen): void {
    const aside = this.#asideOf(measure);
    for (let n = 0; n < places.length; n++) {
      const place = places[n] as number;
      aside[place] = (aside[place] ?? 0n) + BigInt(valueAt(column, chosen === undefined ? n : (chosen[n] as number)));
    }
  }

  /** Sets the doubles aside before more is added than they can hold. */
  #makeRoom(measure: number, more: number): void {
    const held = (this.#held[measure] as number) + more;
    this.#held[measure] = held;
    if (held < EXACT_LIMIT) return;
    const sums = this.#columns[measure] as Float64Array;
    const aside = this.#asideOf(measure);
    for (let place = 0; place < this.#size; place++) aside[place] = (aside[place] ?? 0n) + BigInt(sums[place] as number);
    sums.fill(0);
    this.#held[measure] = more;
  }

  #asideOf(measure: number): bigint[] {
    this.#aside[measure] ??= [];
    return this.#aside[measure] as bigint[];
  }

  #newPage(number: number): Int32Array {
    const page = new Int32Array(PAGE);
    this.#pages[number] = page;
    return page;
  }

  #grow(): void {
    const room = this.#ids.length * 2;
    const ids = new Int32Array(room);
    ids.set(this.#ids);
    this.#ids = ids;
    for (const [measure, column] of this.#columns.entries()) {
      const grown = new Float64Array(room);
      grown.set(column);
      this.#columns[measure] = grown;
    }
  }
}

type Distances = Exclude<PackedColumn["values"], BigInt64Array | undefined>;

function add(sums: Float64Array, places: Int32Array, n: number, value: number): void {
  const place = places[n] as number;
  sums[place] = (sums[place] as number) + value;
}

function addConstant(sums: Float64Array, places: Int32Array, value: number): void {
  for (let n = 0; n < places.length; n++) add(sums, places, n, value);
}

function addChosen(sums: Float64Array, places: Int32Array, base: number, values: Distances, chosen: Uint32Array): void {
  for (let n = 0; n < places.length; n++) add(sums, places, n, base + (values[chosen[n] as number] as number));
}

// One loop for each kind of array: a single one that meets all of them was seen to take three times as long.

function addBytes(sums: Float64Array, places: Int32Array, base: number, values: Uint8Array): void {
  for (let n = 0; n < places.length; n++) add(sums, places, n, base + (values[n] as number));
}

function addShorts(sums: Float64Array, places: Int32Array, base: number, values: Uint16Array): void {
  for (let n = 0; n < places.length; n++) add(sums, places, n, base + (values[n] as number));
}

function addInts(sums: Float64Array, places: Int32Array, base: number, values: Uint32Array): void {
  for (let n = 0; n < places.length; n++) add(sums, places, n, base + (values[n] as number));
}

function addDoubles(sums: Float64Array, places: Int32Array, base: number, values: Float64Array): void {
  for (let n = 0; n < places.length; n++) add(sums, places, n, base + (values[n] as number));
}
