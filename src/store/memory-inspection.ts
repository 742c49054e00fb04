// What the proof of the books reads of memory: the same answers as inspection-query.ts gives.
import type { AttemptRecord } from "../core/attempt";
import { ZERO_USD } from "../core/money";
import type { LedgerRow } from "../core/ports";
import type { InspectionReads } from "./backend";

interface Books {
  readonly ledger: readonly LedgerRow[];
  readonly holds: ReadonlyMap<string, AttemptRecord>;
}

export const memoryInspection = (books: Books): InspectionReads => ({
  integrity: async () => undefined,
  newestRow: async () => books.ledger.at(-1)?.id ?? 0,
  holdRows: async () => [...books.holds.values()],
  async stretch(after, upTo) {
    const rows = books.ledger.filter((row) => row.id > after && row.id <= upTo);
    const named = (requestId: string, number: number): string => `${requestId}.${number}`;
    const all = new Set(books.ledger.map((row) => named(row.requestId, row.attemptNumber)));
    const gaps = rows.filter((row) => row.attemptNumber > 1 && !all.has(named(row.requestId, row.attemptNumber - 1)));
    return { rows: rows.length, sums: rows.map((row) => ({ ...row, spent: row.cost ?? ZERO_USD })), gaps };
  },
  async rowsOf(attempts) {
    const ids = new Map(attempts.map((attempt) => [attempt.attemptId, attempt]));
    return books.ledger.flatMap(({ attemptId, id, cost }) => {
      const attempt = ids.get(attemptId);
      return attempt ? [{ attempt, id, cost: cost ?? ZERO_USD }] : [];
    });
  },
});
