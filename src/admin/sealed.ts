// Every value that the vault seals, wherever it stands: for the start, the doctor, and the change of a master key.
import type { Directory } from "../core/ports";
import { credentialPlace, olderCredentialPlace, type Sealed, type VaultPlace, webhookPlace } from "../core/vault";

export interface SealedRow {
  readonly organizationId: string;
  readonly values: readonly { readonly place: VaultPlace; readonly value: Sealed }[];
  /** Puts others in the place of `values`, in their order. Durable when it resolves. Writes nothing where the row has changed meanwhile. */
  reseal(values: readonly Sealed[]): Promise<void>;
}

export const sealedRows = (directory: Directory): SealedRow[] =>
  directory.organizations().flatMap(({ id }) => [...credentialsOf(directory, id), ...webhooksOf(directory, id)]);

const credentialsOf = (directory: Directory, organizationId: string): SealedRow[] =>
  directory.list("credential", organizationId).map((record) => {
    const { older } = record;
    const current = { place: credentialPlace(record), value: record };
    return {
      organizationId,
      values: older === undefined ? [current] : [current, { place: olderCredentialPlace(record), value: older }],
      async reseal([first, second]) {
        if (directory.get("credential", record.id) !== record) return;
        await directory.put("credential", { ...record, ...first, ...(older && second ? { older: { ...older, ...second } } : {}) });
      },
    };
  });

const webhooksOf = (directory: Directory, organizationId: string): SealedRow[] =>
  directory.list("webhook", organizationId).map((record) => ({
    organizationId,
    values: [{ place: webhookPlace(record), value: { masterKeyId: record.masterKeyId, sealed: record.sealedSecret } }],
    async reseal([first]) {
      if (first === undefined || directory.get("webhook", record.id) !== record) return;
      await directory.put("webhook", { ...record, masterKeyId: first.masterKeyId, sealedSecret: first.sealed });
    },
  }));
