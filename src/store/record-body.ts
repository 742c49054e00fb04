// Records as text: JSON, with money as decimal strings that say that they are integers.
import { Failure } from "../core/failure";
import type { RecordKind } from "../core/records";
import type { StoredRecord } from "./backend";

const INTEGER = "$integer";

/** Throws nothing: records hold strings, numbers, integers, lists and objects of them. */
export const bodyText = (value: unknown): string =>
  JSON.stringify(value, (_name, each: unknown) => (typeof each === "bigint" ? { [INTEGER]: each.toString() } : each));

/** Throws `storage_unavailable` for a body that no version of ours has written. */
export function bodyOf(kind: RecordKind, text: string): StoredRecord {
  try {
    const record: unknown = JSON.parse(text, (_name, each: unknown) => integerOf(each));
    return { kind, record } as StoredRecord;
  } catch (cause) {
    throw new Failure("storage_unavailable", `A record of kind ${kind} cannot be read`, { cause });
  }
}

function integerOf(value: unknown): unknown {
  if (typeof value !== "object" || value === null || !(INTEGER in value)) return value;
  return BigInt(String(value[INTEGER]));
}
