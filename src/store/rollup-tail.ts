// The ledger's rows behind the last block, as columns in memory: fewer than a block's as a rule. Rows never change, so that each
// question reads only what came since the one before.
import type { Db } from "./connection";
import { FIGURES_COLUMN, rowColumn, TIME_COLUMN, watermarkOf } from "./rollup-build";
import { type PackedColumn, pack, unpack } from "./rollup-pack";
import { BLOCK_ROWS, MEASURES, type RollupRow, readRollupRows, TEXT_DIMENSIONS, type TextDimension } from "./rollup-shape";
import { idsOf, lastIdOf } from "./rollup-values";

/** Slices that are kept. More of them mean that a long ledger is still being summed up: they are read each time. */
const MOST_KEPT = 2;
/** How far behind the last number of a text those begin that have none yet: blocks that are made meanwhile do not reach it. */
const NEW_NUMBERS_AFTER = 2 ** 20;
/** Ledger ids: of slices alone, blocks have none. */
export const ID_COLUMN = "id";

/** Some rows, in the order of their ids. */
export class TailSlice {
  readonly #columns = new Map<string, (number | bigint)[][]>();
  readonly #packed = new Map<string, PackedColumn[]>();
  #rows = 0;
  #lastId: number;

  constructor(after: number) {
    this.#lastId = after;
  }

  get rows(): number {
    return this.#rows;
  }

  /** The ledger id that it reaches. */
  get lastId(): number {
    return this.#lastId;
  }

  column(name: string): PackedColumn[] {
    const known = this.#packed.get(name);
    if (known !== undefined) return known;
    const packed = unpack(pack(this.#columns.get(name) ?? []));
    this.#packed.set(name, packed);
    return packed;
  }

  /** `numbers`: of each row's texts, by dimension. */
  append(rows: readonly RollupRow[], numbers: Readonly<Record<string, readonly number[]>>): void {
    this.#packed.clear();
    this.#push(ID_COLUMN, [rows.map((row) => row.id)]);
    this.#push(TIME_COLUMN, [rows.map((row) => row.heldAt)]);
    this.#push(rowColumn("status"), [rows.map((row) => row.status)]);
    this.#push(
      FIGURES_COLUMN,
      MEASURES.map((_, n) => rows.map((row) => row.figures[n] ?? 0)),
    );
    for (const dimension of TEXT_DIMENSIONS) this.#push(rowColumn(dimension), [numbers[dimension] ?? []]);
    this.#rows += rows.length;
    this.#lastId = rows.at(-1)?.id ?? this.#lastId;
  }

  #push(name: string, lists: readonly (readonly (number | bigint)[])[]): void {
    const columns = this.#columns.get(name) ?? lists.map(() => []);
    for (const [n, list] of lists.entries()) columns[n]?.push(...list);
    this.#columns.set(name, columns);
  }
}

/** The numbers of a dimension's texts, as far as they were met. */
interface Numbers {
  ids: Map<string, number>;
  /** Of texts that the database has no number for. */
  newTexts: Map<number, string>;
  next: number | undefined;
}

/** What follows one block. It stays as it is when the next block is made. */
export class Tail {
  /** The last block's id. */
  readonly after: number;
  readonly #db: Db;
  readonly #sliceRows: number;
  readonly #slices: TailSlice[] = [];
  readonly #numbers = new Map<TextDimension, Numbers>(
    TEXT_DIMENSIONS.map((dimension) => [dimension, { ids: new Map(), newTexts: new Map(), next: undefined }]),
  );
  #reading: Promise<unknown> = Promise.resolve();

  constructor(db: Db, after: number, sliceRows: number) {
    this.#db = db;
    this.after = after;
    this.#sliceRows = sliceRows;
  }

  idOf(dimension: TextDimension, text: string): number | undefined {
    return this.#numbers.get(dimension)?.ids.get(text);
  }

  /** undefined: the database has the text, or nobody. */
  newText(dimension: TextDimension, id: number): string | undefined {
    return this.#numbers.get(dimension)?.newTexts.get(id);
  }

  isFull(slice: TailSlice): boolean {
    return slice.rows === this.#sliceRows;
  }

  /** Every row that the ledger has behind the block. */
  async *slices(): AsyncGenerator<TailSlice> {
    await this.#alone(() => this.#extend());
    yield* this.#slices;
    let last = this.#slices.at(-1);
    while (last !== undefined && last.rows === this.#sliceRows) {
      const slice = new TailSlice(last.lastId);
      await this.#alone(() => this.#fill(slice));
      yield slice;
      last = slice;
    }
  }

  async #extend(): Promise<void> {
    for (;;) {
      let slice = this.#slices.at(-1);
      if (slice === undefined || slice.rows === this.#sliceRows) {
        if (this.#slices.length === MOST_KEPT) return;
        slice = new TailSlice(slice?.lastId ?? this.after);
        this.#slices.push(slice);
      }
      await this.#fill(slice);
      if (slice.rows < this.#sliceRows) return;
    }
  }

  async #fill(slice: TailSlice): Promise<void> {
    const rows = await readRollupRows(this.#db, { first: slice.lastId + 1, last: Number.MAX_SAFE_INTEGER }, this.#sliceRows - slice.rows);
    if (rows.length === 0) return;
    const numbers: Record<string, number[]> = {};
    for (const [n, dimension] of TEXT_DIMENSIONS.entries()) {
      const texts = rows.map((row) => row.texts[n] ?? null);
      const ids = await this.#numbered(dimension, texts);
      numbers[dimension] = texts.map((text) => (text === null ? 0 : (ids.get(text) ?? 0)));
    }
    slice.append(rows, numbers);
  }

  async #numbered(dimension: TextDimension, texts: readonly (string | null)[]): Promise<ReadonlyMap<string, number>> {
    const numbers = this.#numbers.get(dimension) as Numbers;
    const unknown = [...new Set(texts)].filter((text) => text !== null && !numbers.ids.has(text)) as string[];
    if (unknown.length === 0) return numbers.ids;
    const known = await idsOf(this.#db, dimension, unknown);
    numbers.next ??= (await lastIdOf(this.#db, dimension)) + NEW_NUMBERS_AFTER;
    for (const text of unknown) {
      const id = known.get(text) ?? numbers.next++;
      numbers.ids.set(text, id);
      if (!known.has(text)) numbers.newTexts.set(id, text);
    }
    return numbers.ids;
  }

  /** One question at a time gives numbers: two would give one text two of them. */
  #alone<T>(work: () => Promise<T>): Promise<T> {
    const done = this.#reading.then(work);
    this.#reading = done.catch((error: unknown) => error);
    return done;
  }
}

/** The tail behind the newest block, kept from question to question. */
export class TailKeeper {
  readonly #db: Db;
  readonly #sliceRows: number;
  #tail: Tail;

  constructor(db: Db, sliceRows = BLOCK_ROWS) {
    this.#db = db;
    this.#sliceRows = sliceRows;
    this.#tail = new Tail(db, -1, sliceRows);
  }

  async current(): Promise<Tail> {
    const after = await watermarkOf(this.#db);
    if (after !== this.#tail.after) this.#tail = new Tail(this.#db, after, this.#sliceRows);
    return this.#tail;
  }

  /** A tail that begins no later than behind this ledger id: what is asked up to there has no block that goes beyond. */
  async behind(reach: number): Promise<Tail> {
    const tail = await this.current();
    if (tail.after <= reach) return tail;
    // A block was made since: its own rows are read once more.
    return new Tail(this.#db, await watermarkOf(this.#db, reach), this.#sliceRows);
  }
}
