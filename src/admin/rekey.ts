// A new master key: everything that older ones seal is sealed anew under the current one, and then they may go.
import type { Ports } from "../core/ports";
import { type Sealed, VaultFault } from "../core/vault";
import { note } from "./events";
import { type SealedRow, sealedRows } from "./sealed";

export interface RekeyDocument {
  object: "rekey";
  /** The master key that seals everything now. */
  master_key: string;
  resealed: number;
  /** What does not open, with whatever key is here. It is left as it is. */
  unreadable: { table: string; row: string; column: string; master_key: string; reason: VaultFault["kind"] }[];
}

/** Writes row by row: what was interrupted is finished by the next one. */
export async function rekey(ports: Ports): Promise<RekeyDocument> {
  const done: RekeyDocument = { object: "rekey", master_key: ports.vault.keyId, resealed: 0, unreadable: [] };
  const byOrganization = new Map<string, number>();
  for (const row of sealedRows(ports.directory)) {
    if (row.values.every(({ value }) => value.masterKeyId === ports.vault.keyId)) continue;
    const values = sealedAnew(row, done, ports);
    if (values === undefined) continue;
    await row.reseal(values);
    done.resealed += values.length;
    byOrganization.set(row.organizationId, (byOrganization.get(row.organizationId) ?? 0) + values.length);
  }
  for (const [organizationId, resealed] of byOrganization)
    await note({ organizationId, type: "vault.rekeyed", resource: done.master_key, data: { resealed } }, ports);
  return done;
}

function sealedAnew(row: SealedRow, done: RekeyDocument, { vault }: Ports): Sealed[] | undefined {
  const values: Sealed[] = [];
  for (const { place, value } of row.values) {
    try {
      values.push(vault.seal(vault.open(value, place), place));
    } catch (thrown) {
      if (!(thrown instanceof VaultFault)) throw thrown;
      const { table, row: id, column } = place;
      done.unreadable.push({ table, row: id, column, master_key: value.masterKeyId, reason: thrown.kind });
      return undefined;
    }
  }
  return values;
}
