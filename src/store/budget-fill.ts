// What was spent before a budget counts: read of the ledger while calls count already, so that nothing is missed and nothing twice.
import type { Budget } from "../core/budget";
import type { Clock } from "../core/ports";
import type { Reservations } from "../core/reservations";
import type { Backend } from "./backend";
import type { HoldBook } from "./hold-book";
import { storageFailure } from "./storage-failure";
import type { Writer } from "./writer";

export interface FillParts {
  reservations: Reservations;
  book: HoldBook;
  writer: Writer;
  reader: Pick<Backend, "spentBefore">;
  clock: Clock;
}

/**
 * Calls count from the first moment on; what was settled before is read of the ledger, less the calls that count already. What
 * settled before and is not written yet is waited for. The budget is in force when it resolves. Rejects `storage_unavailable`.
 */
export async function fillBudget(budget: Budget, parts: FillParts): Promise<void> {
  const { reservations, book, writer, reader, clock } = parts;
  reservations.begin(budget, book.attempts());
  await writer.drain();
  const { from, bucketMs } = reservations.span(budget, clock.now());
  const { organizationId, scope, standsFor } = budget;
  const query = { organizationId, scope, from, bucketMs, markupBasisPoints: standsFor?.markupBasisPoints };
  const rows = await reader
    .spentBefore(query, () => reservations.counted(budget.id))
    .catch((error: unknown) => {
      throw storageFailure(error);
    });
  reservations.fill(
    budget.id,
    rows.map((row) => (bucketMs === undefined ? { ...row, start: from } : row)),
  );
}
