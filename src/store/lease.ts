// Who owns a database. One row with an epoch: each owner raises it, and every batch of a remote owner checks it in the same
// transaction, so that whoever lost the database cannot write to it any more, however late it finds out.
import { sql } from "drizzle-orm";
import type { Clock, Log } from "../core/ports";
import type { Connection, Statement } from "./connection";
import { troubleOf } from "./storage-failure";
import { DataFolderInUse } from "./store-refused";

export interface LeaseTerms {
  /** A lease that nobody renewed for so long is free. */
  ttlMs: number;
  renewMs: number;
}

interface LeaseRow {
  epoch: bigint;
  owner: string;
  expiresAt: bigint;
}

/** Aborts the batch it stands in unless `epoch` still owns: `leases.epoch` is NOT NULL. */
export const fenceStatement = (epoch: number): Statement => ({
  sql: 'UPDATE "leases" SET epoch = CASE WHEN epoch = ? THEN epoch ELSE NULL END WHERE id = 1',
  args: [BigInt(epoch)],
});

async function readLease(connection: Connection): Promise<LeaseRow> {
  const [row] = await connection.db.values<[bigint, string, bigint]>(sql`SELECT epoch, owner, expires_at FROM leases WHERE id = 1`);
  if (row !== undefined) return { epoch: row[0], owner: row[1], expiresAt: row[2] };
  await connection.batch([{ sql: "INSERT OR IGNORE INTO leases (id, epoch, owner, expires_at) VALUES (1, 0, '', 0)", args: [] }]);
  return readLease(connection);
}

/** Waits for a lease that may be a dead process's; refuses as soon as it is seen to be renewed. */
async function waitUntilFree(connection: Connection, clock: Clock, terms: LeaseTerms): Promise<LeaseRow> {
  const start = clock.elapsedMs();
  let seen = await readLease(connection);
  while (seen.owner !== "" && Number(seen.expiresAt) > clock.now() && clock.elapsedMs() - start < terms.ttlMs) {
    await clock.sleep(Math.min(terms.renewMs, Number(seen.expiresAt) - clock.now()));
    const again = await readLease(connection);
    if (again.owner !== "" && (again.epoch !== seen.epoch || again.expiresAt !== seen.expiresAt)) {
      throw new DataFolderInUse("Another Tollway process is using this database. Stop it first, or give this one a database of its own.");
    }
    seen = again;
  }
  return seen;
}

/** Becomes the owner; the epoch is this process's number. Throws `DataFolderInUse`. Without terms the file's lock has decided already. */
export async function takeLease(connection: Connection, clock: Clock, owner: string, terms: LeaseTerms | undefined): Promise<number> {
  const seen = terms === undefined ? await readLease(connection) : await waitUntilFree(connection, clock, terms);
  const expiresAt = terms === undefined ? 0n : BigInt(clock.now() + terms.ttlMs);
  await connection.batch([
    {
      sql: "UPDATE leases SET epoch = epoch + 1, owner = ?, expires_at = ? WHERE id = 1 AND epoch = ?",
      args: [owner, expiresAt, seen.epoch],
    },
  ]);
  const now = await readLease(connection);
  if (now.owner !== owner) throw new DataFolderInUse("Another Tollway process took this database at the same moment.");
  return Number(now.epoch);
}

/** Keeps the lease; `lost` is called once, when another owner has it. The result stops. */
export function renewLease(
  connection: Connection,
  epoch: number,
  terms: LeaseTerms,
  ports: { clock: Clock; log: Log },
  lost: (cause: unknown) => void,
): () => void {
  let stopped = false;
  let cancel = () => {};
  const renew = async () => {
    try {
      const expiresAt = BigInt(ports.clock.now() + terms.ttlMs);
      await connection.batch([
        fenceStatement(epoch),
        { sql: "UPDATE leases SET expires_at = ? WHERE id = 1 AND epoch = ?", args: [expiresAt, BigInt(epoch)] },
      ]);
    } catch (error) {
      if (stopped) return;
      if (troubleOf(error) === "fenced") return lost(error);
      // The database is away: every batch is fenced anyway, so there is nothing to do but to try again.
      ports.log.write("warn", "store.lease_not_renewed", { epoch, cause: String(error) });
    }
    next();
  };
  const next = () => {
    if (!stopped) cancel = ports.clock.after(terms.renewMs, () => void renew());
  };
  next();
  return () => {
    stopped = true;
    cancel();
  };
}

/** Lets the next owner in at once. */
export async function releaseLease(connection: Connection, epoch: number): Promise<void> {
  await connection.batch([{ sql: "UPDATE leases SET owner = '', expires_at = 0 WHERE id = 1 AND epoch = ?", args: [BigInt(epoch)] }]);
}
