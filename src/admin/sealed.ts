// Every row that the vault seals, wherever it stands: for the start, the doctor, and the change of a master key.
import type { Directory } from "../core/ports";
import { credentialPlace, type Sealed, type VaultPlace, webhookPlace } from "../core/vault";

export interface SealedRow {
  readonly place: VaultPlace;
  readonly value: Sealed;
  /** Durable when it resolves. Writes nothing where the row has changed meanwhile. */
  reseal(value: Sealed): Promise<void>;
}

export function sealedRows(directory: Directory): SealedRow[] {
  return directory.organizations().flatMap(({ id }) => [
    ...directory.list("credential", id).map(
      (record): SealedRow => ({
        place: credentialPlace(record),
        value: record,
        async reseal(value) {
          if (directory.get("credential", record.id) === record) await directory.put("credential", { ...record, ...value });
        },
      }),
    ),
    ...directory.list("webhook", id).map(
      (record): SealedRow => ({
        place: webhookPlace(record),
        value: { masterKeyId: record.masterKeyId, sealed: record.sealedSecret },
        async reseal({ masterKeyId, sealed }) {
          if (directory.get("webhook", record.id) === record)
            await directory.put("webhook", { ...record, masterKeyId, sealedSecret: sealed });
        },
      }),
    ),
  ]);
}
