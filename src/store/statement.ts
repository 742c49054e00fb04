// Changes as SQL, made once from the schema's columns. Measured (test/store/hot-path.ts): drizzle's builder costs five times as
// much for each row; its prepared statements half as much again, and they pass a placeholder's null through the column's encoder.
import { getTableColumns, getTableName } from "drizzle-orm";
import type { SQLiteTable } from "drizzle-orm/sqlite-core";
import type { Outcome } from "../core/ports";
import type { StoredKey, Write } from "./backend";
import type { SqlValue, Statement } from "./connection";
import { figuresText } from "./price-record";
import { bodyText } from "./record-body";
import {
  adminEvents,
  apiKeys,
  creditEntries,
  deliveries,
  holds,
  ledger,
  organizations,
  priceVersions,
  records,
  refusals,
  rollupBlocks,
  rollupColumns,
  rollupValues,
} from "./schema";

type Row = Readonly<Record<string, unknown>>;

/** An insert of the table's rows. `without`: columns that the database fills itself. */
function insertInto<T extends SQLiteTable, K extends keyof T["$inferInsert"] = never>(
  table: T,
  onConflict = "",
  without: readonly K[] = [],
): (row: Omit<T["$inferInsert"], K>) => Statement {
  const columns = Object.entries(getTableColumns(table)).filter(([field]) => !without.some((name) => name === field));
  const names = columns.map(([, column]) => `"${column.name}"`).join(", ");
  const marks = columns.map(() => "?").join(", ");
  const sql = `INSERT INTO "${getTableName(table)}" (${names}) VALUES (${marks})${onConflict}`;
  return (row) => {
    const args: SqlValue[] = new Array(columns.length).fill(null);
    let at = 0;
    for (const [field, column] of columns) {
      const value = (row as Row)[field];
      if (value !== undefined && value !== null) args[at] = column.mapToDriverValue(value) as SqlValue;
      at++;
    }
    return { sql, args };
  };
}

/** Takes the place of the row with the same key; `keeps` stay as they are. */
function replacing<T extends SQLiteTable>(
  table: T,
  key: readonly (keyof T["$inferInsert"])[],
  keeps: readonly (keyof T["$inferInsert"])[] = [],
): string {
  const columns = Object.entries(getTableColumns(table));
  const nameOf = (field: PropertyKey): string => columns.find(([one]) => one === field)?.[1].name ?? String(field);
  const changed = columns.filter(([field]) => ![...key, ...keeps].some((name) => name === field));
  const sets = changed.map(([, { name }]) => `"${name}" = excluded."${name}"`).join(", ");
  return ` ON CONFLICT (${key.map((field) => `"${nameOf(field)}"`).join(", ")}) DO UPDATE SET ${sets}`;
}

const insertHold = insertInto(holds);
const insertLedger = insertInto(ledger, " ON CONFLICT (organization_id, request_id, attempt_number) DO NOTHING", ["id"]);
const insertRefusal = insertInto(refusals, " ON CONFLICT DO NOTHING", ["id"]);
const insertKey = insertInto(apiKeys);
const replaceKey = insertInto(apiKeys, replacing(apiKeys, ["id"], ["revokedAt", "createdAt"]));
const putRecord = insertInto(records, replacing(records, ["kind", "id"]));
const insertCredit = insertInto(creditEntries, "", ["id"]);
const insertAdminEvent = insertInto(adminEvents, "", ["id"]);
const putDelivery = insertInto(deliveries, replacing(deliveries, ["id"]));
const insertPrice = insertInto(priceVersions, " ON CONFLICT (version) DO NOTHING");
const insertBlock = insertInto(rollupBlocks);
const insertColumn = insertInto(rollupColumns);
const insertValue = insertInto(rollupValues);
const putOrganization = insertInto(organizations, replacing(organizations, ["id"]));

/** Numbers of this process's holds. A hold of an earlier one has none here, and is found by its attempt. */
export class HoldNumbers {
  readonly #numbers = new Map<string, number>();
  #last: number;

  /** `last`: the highest number in the table. */
  constructor(last: number) {
    this.#last = last;
  }

  /** A new number for the attempt's hold. */
  give(attemptId: string): number {
    this.#last++;
    this.#numbers.set(attemptId, this.#last);
    return this.#last;
  }

  of(attemptId: string): number | undefined {
    return this.#numbers.get(attemptId);
  }

  /** The hold is gone from the database. */
  forget(attemptId: string): void {
    this.#numbers.delete(attemptId);
  }
}

function deleteHold(attemptId: string, numbers: HoldNumbers): Statement {
  const number = numbers.of(attemptId);
  return number === undefined
    ? { sql: 'DELETE FROM "holds" WHERE attempt_id = ?', args: [attemptId] }
    : { sql: 'DELETE FROM "holds" WHERE id = ?', args: [BigInt(number)] };
}

const keyRow = ({ policy, ...key }: StoredKey) => ({ ...key, policy: Object.keys(policy).length === 0 ? null : JSON.stringify(policy) });

/** The ledger's columns of an outcome. */
const outcomeRow = (outcome: Outcome) => ({
  ...outcome.usage,
  settlement: outcome.settlement,
  usageSource: outcome.usageSource,
  cost: outcome.cost,
  upstreamStatus: outcome.upstreamStatus,
  errorCode: outcome.errorCode,
  finishReason: outcome.finishReason,
  latencyMs: outcome.latencyMs,
  timeToFirstChunkMs: outcome.timeToFirstChunkMs,
  flags: outcome.flags,
});

/** Appends the statements of one change. Holds carry `epoch`. Throws `UnstorableValue`. */
export function statementsOf(write: Write, epoch: number, numbers: HoldNumbers, into: Statement[]): void {
  switch (write.type) {
    case "hold":
      into.push(insertHold({ ...write.attempt, id: numbers.give(write.attempt.attemptId), epoch }));
      return;
    case "unhold":
      into.push(deleteHold(write.attemptId, numbers));
      return;
    case "settle":
      into.push(
        deleteHold(write.attempt.attemptId, numbers),
        insertLedger({ ...write.attempt, ...outcomeRow(write.outcome), settledAt: write.settledAt }),
      );
      return;
    case "refusal":
      into.push(insertRefusal(write.refusal));
      return;
    case "key":
      into.push(insertKey(keyRow(write.key)));
      return;
    case "key-change":
      into.push(replaceKey(keyRow(write.key)));
      return;
    case "record": {
      const { id, organizationId } = write.record;
      into.push(putRecord({ kind: write.kind, id, organizationId, body: bodyText(write.record) }));
      return;
    }
    case "unrecord":
      into.push({ sql: 'DELETE FROM "records" WHERE kind = ? AND id = ?', args: [write.kind, write.id] });
      return;
    case "credit":
      into.push(insertCredit(write.entry));
      return;
    case "admin-event":
      into.push(insertAdminEvent({ ...write.event, data: bodyText(write.event.data) }));
      return;
    case "delivery":
      into.push(putDelivery(write.delivery));
      return;
    case "revoke":
      into.push({
        sql: 'UPDATE "api_keys" SET revoked_at = coalesce(revoked_at, ?) WHERE id = ? AND organization_id = ?',
        args: [BigInt(write.revokedAt), write.keyId, write.organizationId],
      });
      return;
    case "price":
      into.push(insertPrice({ ...write.price, figures: figuresText(write.price), keptAt: write.keptAt }));
      return;
    case "rollup": {
      const { columns, values, ...block } = write.block;
      into.push(insertBlock(block));
      for (const column of columns) into.push(insertColumn({ ...column, block: block.id }));
      for (const value of values) into.push(insertValue(value));
      return;
    }
    case "rollup-fold":
      for (const column of write.fold.columns) into.push(insertColumn({ ...column, block: write.fold.id }));
      return;
    case "organization":
      into.push(putOrganization(write.organization));
      return;
  }
}
