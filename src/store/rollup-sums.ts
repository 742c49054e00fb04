// Sums by number of a group, over columns of doubles: exact, because what might not fit a double is set aside as bigint first.
import { EXACT_LIMIT, type PackedColumn, valueAt } from "./rollup-pack";

const FIRST_ROOM = 256;
/** Group numbers are looked up in pages, so that far-apart ones (runs, years of users) cost no room in between. */
const PAGE_BITS = 12;
const PAGE = 2 ** PAGE_BITS;

/** Row numbers of a column; undefined: all of them. */
export type Chosen = Uint32Array | undefined;

export class Sums {
  /** Group number → its place here, plus one. */
  readonly #pages: Int32Array[] = [];
  #ids = new Int32Array(FIRST_ROOM);
  #size = 0;
  readonly #columns: Float64Array[];
  /** What was set aside of a measure, by place. */
  readonly #aside: (bigint[] | undefined)[];
  /** All that a column holds, at most. */
  readonly #held: number[];

  /** `measures`: how many sums each group has. */
  constructor(measures: number) {
    this.#columns = Array.from({ length: measures }, () => new Float64Array(FIRST_ROOM));
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

  sumAt(measure: number, place: number): bigint {
    return BigInt(this.#columns[measure]?.[place] ?? 0) + (this.#aside[measure]?.[place] ?? 0n);
  }

  /** Where each row's group stands, for the chosen rows of a column of group numbers, each divided by `step` and rounded down. */
  placesOf(ids: PackedColumn, chosen: Chosen, step = 1): Int32Array {
    const count = chosen === undefined ? ids.count : chosen.length;
    const places = new Int32Array(count);
    if (ids.values === undefined) return places.fill(count === 0 ? 0 : this.placeOf(Math.floor(ids.base / step)));
    const { base, values } = ids;
    for (let n = 0; n < count; n++) {
      const id = base + Number(values[chosen === undefined ? n : (chosen[n] as number)]);
      places[n] = this.placeOf(step === 1 ? id : Math.floor(id / step));
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
    else if (chosen === undefined) addAll(sums, places, base, values);
    else addChosen(sums, places, base, values, chosen);
  }

  /** Adds one figure to one place. */
  addOne(measure: number, place: number, figure: bigint): void {
    if (figure >= BigInt(EXACT_LIMIT)) {
      this.#asideOf(measure)[place] = (this.#aside[measure]?.[place] ?? 0n) + figure;
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

function addConstant(sums: Float64Array, places: Int32Array, value: number): void {
  for (let n = 0; n < places.length; n++) {
    const place = places[n] as number;
    sums[place] = (sums[place] as number) + value;
  }
}

function addAll(sums: Float64Array, places: Int32Array, base: number, values: Distances): void {
  for (let n = 0; n < places.length; n++) {
    const place = places[n] as number;
    sums[place] = (sums[place] as number) + base + (values[n] as number);
  }
}

function addChosen(sums: Float64Array, places: Int32Array, base: number, values: Distances, chosen: Uint32Array): void {
  for (let n = 0; n < places.length; n++) {
    const place = places[n] as number;
    sums[place] = (sums[place] as number) + base + (values[chosen[n] as number] as number);
  }
}
