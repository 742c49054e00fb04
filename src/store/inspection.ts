// Proves the books while calls go on. Rows are read later than the counters, so what moves in between is taped and left out on both
// sides. The ledger is summed in short stretches, for the event loop's sake.
import type { AttemptRecord } from "../core/attempt";
import type { Budget } from "../core/budget";
import type { KeyMode } from "../core/ids";
import type { BookFault, BooksProof, Inspection } from "../core/inspection";
import { addUsd, type NanoUsd, subUsd, ZERO_USD } from "../core/money";
import type { Clock } from "../core/ports";
import type { Reservations } from "../core/reservations";
import type { InspectionReads, ReadBackend, SpentRow } from "./backend";
import type { RecordDirectory } from "./directory";
import type { CountedScope, HoldBook, Tape } from "./hold-book";
import { marked, scopeIdOf } from "./memory-records";
import { storageFailure } from "./storage-failure";
import type { Writer } from "./writer";

export interface InspectionParts {
  directory: RecordDirectory;
  reservations: Reservations;
  book: HoldBook;
  writer: Writer;
  reader: Pick<ReadBackend, "spentBefore">;
  reads: InspectionReads;
  clock: Clock;
}

/** Ledger rows summed at once: a few milliseconds. */
const STRETCH_ROWS = 2_000;
const MOST_FAULTS = 100;
const MODES = ["live", "test"] as const satisfies readonly KeyMode[];

interface CountedBudget {
  budget: Budget;
  mode: KeyMode;
  spent: NanoUsd;
  reserved: NanoUsd;
}

/** The counters as they stood at one moment. */
interface Counted {
  /** Unix milliseconds. */
  at: number;
  scopes: readonly CountedScope[];
  budgets: readonly CountedBudget[];
  open: ReadonlyMap<string, AttemptRecord>;
}

export class BookInspection implements Inspection {
  readonly #parts: InspectionParts;

  constructor(parts: InspectionParts) {
    this.#parts = parts;
  }

  async integrity(): Promise<readonly string[] | undefined> {
    return this.#parts.reads.integrity().catch(failed);
  }

  async books(): Promise<BooksProof> {
    const { trouble } = this.#parts.writer;
    // What is not written cannot be held against what is counted.
    if (trouble !== undefined) throw trouble;
    const tape = this.#parts.book.tape();
    try {
      return await this.#prove(tape).catch(failed);
    } finally {
      tape.stop();
    }
  }

  async #prove(tape: Tape): Promise<BooksProof> {
    const { writer, reads } = this.#parts;
    const counted = this.#count();
    const faults = [...unheldScopes(counted), ...this.#unheldBudgets(counted)];
    // What was counted above is in the database after this.
    await writer.drain();
    const newest = await reads.newestRow();
    const ended = [...tape.ended.values()];
    const holds = await reads.holdRows();
    faults.push(...strayHolds(counted, holds, tape));
    const settled = (await reads.rowsOf(holds)).filter((row) => row.id <= newest);
    faults.push(...settled.map(({ attempt }) => attemptFault("I3", attempt)));
    const ledger = await this.#sumLedger(newest);
    for (const row of await reads.rowsOf(ended)) {
      if (row.id <= newest) ledger.sums.add({ ...row.attempt, spent: subUsd(ZERO_USD, row.cost) });
    }
    faults.push(...ledger.gaps.map((attempt) => attemptFault("I3", attempt)), ...unspentScopes(counted, ledger.sums));
    for (const budget of counted.budgets) faults.push(...(await this.#unspentBudget(budget, counted.at, tape)));
    const scopes = counted.scopes.length + counted.budgets.length;
    return { ledgerRows: ledger.rows, openHolds: holds.length, scopes, faults: faults.slice(0, MOST_FAULTS) };
  }

  #count(): Counted {
    const { book, clock, directory, reservations } = this.#parts;
    const at = clock.now();
    const ids = directory
      .organizations()
      .flatMap(({ id }) => [...directory.list("budget", id), ...directory.list("credit-account", id)].map((record) => record.id));
    const states = ids.flatMap((id) =>
      MODES.flatMap((mode) => {
        const state = reservations.state(id, mode, at);
        return state && (state.budget.standsFor?.mode ?? mode) === mode ? [{ ...state, mode }] : [];
      }),
    );
    return { at, scopes: book.counted(), budgets: states, open: new Map([...book.attempts()].map((one) => [one.attemptId, one])) };
  }

  /** Of a calendar period, calls that were admitted in an earlier one hold on that one's account. */
  #unheldBudgets({ budgets, open, at }: Counted): BookFault[] {
    return budgets.flatMap(({ budget, mode, reserved }) => {
      const { from, bucketMs } = this.#parts.reservations.span(budget, at);
      let held = ZERO_USD;
      for (const attempt of open.values()) {
        const counts = bucketMs !== undefined || attempt.heldAt >= from;
        if (counts && attempt.mode === mode && isOf(budget, attempt))
          held = addUsd(held, marked(attempt.bound ?? ZERO_USD, markupOf(budget)));
      }
      return held === reserved ? [] : [sumFault("I2", nameOf(budget), mode, reserved, held)];
    });
  }

  async #unspentBudget({ budget, mode, spent }: CountedBudget, at: number, tape: Tape): Promise<BookFault[]> {
    const { reservations, reader } = this.#parts;
    const { organizationId, scope } = budget;
    const query = { organizationId, scope, ...reservations.span(budget, at), markupBasisPoints: markupOf(budget) };
    const rows = await reader.spentBefore(query, () => [...tape.ended.keys()]);
    const written = rows.reduce((sum, row) => (row.mode === mode ? addUsd(sum, row.spent) : sum), ZERO_USD);
    return written === spent ? [] : [sumFault("I1", nameOf(budget), mode, spent, written)];
  }

  async #sumLedger(newest: number): Promise<{ rows: number; sums: ScopeSums; gaps: AttemptRecord[] }> {
    const sums = new ScopeSums();
    const gaps: AttemptRecord[] = [];
    let rows = 0;
    for (let after = 0; after < newest; after += STRETCH_ROWS) {
      const stretch = await this.#parts.reads.stretch(after, Math.min(after + STRETCH_ROWS, newest));
      rows += stretch.rows;
      for (const row of stretch.sums) sums.add(row);
      if (gaps.length < MOST_FAULTS) gaps.push(...stretch.gaps);
      // A local database answers at once: calls get their turn here.
      await new Promise((resolve) => setImmediate(resolve));
    }
    return { rows, sums, gaps };
  }
}

/** What the rows sum to, by scope and mode. */
class ScopeSums {
  readonly #sums = new Map<string, NanoUsd>();

  add({ mode, organizationId, keyId, spent }: SpentRow): void {
    for (const name of [`${mode} organization:${organizationId}`, `${mode} key:${keyId}`])
      this.#sums.set(name, addUsd(this.#sums.get(name) ?? ZERO_USD, spent));
  }

  /** Takes the scope's sum out. */
  take({ mode, kind, id }: CountedScope): NanoUsd {
    const name = `${mode} ${kind}:${id}`;
    const sum = this.#sums.get(name) ?? ZERO_USD;
    this.#sums.delete(name);
    return sum;
  }

  /** What nobody has taken and is not nothing. */
  left(): { mode: KeyMode; scope: string; spent: NanoUsd }[] {
    return [...this.#sums]
      .filter(([, spent]) => spent !== ZERO_USD)
      .map(([name, spent]) => ({ mode: name.startsWith("live ") ? "live" : "test", scope: name.slice("live ".length), spent }));
  }
}

function unspentScopes({ scopes }: Counted, sums: ScopeSums): BookFault[] {
  const faults: BookFault[] = [];
  for (const scope of scopes) {
    const written = sums.take(scope);
    if (written !== scope.spent) faults.push(sumFault("I1", `${scope.kind}:${scope.id}`, scope.mode, scope.spent, written));
  }
  return [...faults, ...sums.left().map(({ scope, mode, spent }) => sumFault("I1", scope, mode, ZERO_USD, spent))];
}

function unheldScopes({ scopes, open }: Counted): BookFault[] {
  const sums = new ScopeSums();
  for (const { mode, organizationId, keyId, bound } of open.values()) sums.add({ mode, organizationId, keyId, spent: bound ?? ZERO_USD });
  return scopes.flatMap((scope) => {
    const held = sums.take(scope);
    return held === scope.reserved ? [] : [sumFault("I2", `${scope.kind}:${scope.id}`, scope.mode, scope.reserved, held)];
  });
}

/** Holds that nobody made, and holds that are not written, or not as they were made. */
function strayHolds({ open }: Counted, holds: readonly AttemptRecord[], tape: Tape): BookFault[] {
  const written = new Map(holds.map((hold) => [hold.attemptId, hold]));
  const nobodys = holds.filter(({ attemptId }) => !open.has(attemptId) && !tape.opened.has(attemptId));
  const amiss = [...open.values()].filter((attempt) => {
    const hold = written.get(attempt.attemptId);
    return hold === undefined ? !tape.ended.has(attempt.attemptId) : hold.bound !== attempt.bound;
  });
  return [...nobodys, ...amiss].map((attempt) => attemptFault("I2", attempt));
}

/** Prepaid balances are counted as budgets are, with their markup. */
const markupOf = ({ standsFor }: Budget): number => standsFor?.markupBasisPoints ?? 0;

const nameOf = ({ id, standsFor }: Budget): string => `${standsFor?.kind ?? "budget"}:${id}`;

const isOf = ({ organizationId, scope }: Budget, attempt: AttemptRecord): boolean =>
  attempt.organizationId === organizationId && scopeIdOf(attempt, scope.kind) === scope.id;

const sumFault = (invariant: BookFault["invariant"], scope: string, mode: KeyMode, counted: NanoUsd, written: NanoUsd): BookFault => ({
  invariant,
  scope,
  mode,
  counted,
  written,
});

const attemptFault = (invariant: BookFault["invariant"], { attemptId, mode }: AttemptRecord): BookFault => ({
  invariant,
  scope: `attempt:${attemptId}`,
  mode,
  counted: undefined,
  written: undefined,
});

function failed(error: unknown): never {
  throw storageFailure(error);
}
