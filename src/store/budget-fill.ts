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
 * settled before and is not written yet is waited for. `keep` writes the budget itself down. The budget is in force when it resolves, in
 * the place of the one with its id. Rejects `storage_unavailable`, and as `keep` does: then all is as it was.
 */
export async function fillBudget(budget: Budget, parts: FillParts, keep?: () => Promise<void>): Promise<void> {
  const { reservations, book } = parts;
  reservations.begin(budget, book.attempts());
  try {
    const spent = await spentBefore(budget, parts);
    await keep?.();
    reservations.fill(budget.id, spent);
  } catch (thrown) {
    reservations.abandon(budget.id);
    throw thrown;
  }
}

async function spentBefore(budget: Budget, { reservations, writer, reader, clock }: FillParts) {
  await writer.drain();
  const { from, bucketMs } = reservations.span(budget, clock.now());
  const { organizationId, scope, standsFor } = budget;
  const query = { organizationId, scope, from, bucketMs, markupBasisPoints: standsFor?.markupBasisPoints };
  const rows = await reader
    .spentBefore(query, () => reservations.counted(budget.id))
    .catch((error: unknown) => {
      throw storageFailure(error);
    });
  return rows.map((row) => (bucketMs === undefined ? { ...row, start: from } : row));
}
