// The master keys: the operator's, from the environment or a file, or one made for this data folder when the first is needed.
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Random } from "../core/ports";
import type { Secret } from "../core/secret";
import { MASTER_KEY_BYTES, masterKeyOf } from "../core/vault";
import { StoreRefused } from "./store-refused";
import { masterKeyId, type VaultOptions } from "./vault";

export const MASTER_KEY_FILE = "master.key";

export interface MasterKeySources {
  masterKey: Secret | undefined;
  /** In place of `master.key` in the data folder. */
  masterKeyFile: string | undefined;
  masterKeysOld: readonly Secret[];
  dataFolder: string;
}

/**
 * Reads the keys, or makes the folder's own. `needed`: the ids of the keys that seal what is stored already. Throws `StoreRefused`
 * where one of those is not here: its secrets would be lost, and new ones would be sealed beside them under another key.
 */
export function masterKeysFrom(
  sources: MasterKeySources,
  needed: readonly string[],
  random: Random,
): Pick<VaultOptions, "current" | "old"> & { from: string } {
  const from = sources.masterKey ? "TOLLWAY_MASTER_KEY" : (sources.masterKeyFile ?? join(sources.dataFolder, MASTER_KEY_FILE));
  const old = sources.masterKeysOld.map((key) => bytesOf(key.reveal(), "TOLLWAY_MASTER_KEYS_OLD"));
  const current = sources.masterKey ? bytesOf(sources.masterKey.reveal(), from) : keyInFile(from, sources, needed, random);
  const here = [current, ...old].map(masterKeyId);
  const missing = [...new Set(needed)].filter((id) => !here.includes(id));
  if (missing.length > 0) {
    throw new StoreRefused(
      `Stored secrets are sealed by the master key ${missing.join(", ")}, and here ${here.length === 1 ? "is" : "are"} ${here.join(", ")} ` +
        `(from ${from}). Restore that key, or name it in TOLLWAY_MASTER_KEYS_OLD beside the new one.`,
    );
  }
  return { current, old, from };
}

function bytesOf(text: string, from: string): Uint8Array {
  const key = masterKeyOf(text.trim());
  if (!key) throw new StoreRefused(`${from} is not a master key: it takes ${MASTER_KEY_BYTES} bytes as base64 or hex.`);
  return key;
}

function keyInFile(path: string, sources: MasterKeySources, needed: readonly string[], random: Random): Uint8Array {
  if (!existsSync(path)) {
    if (sources.masterKeyFile !== undefined) throw new StoreRefused(`${path} (TOLLWAY_MASTER_KEY_FILE) is not there.`);
    if (needed.length > 0) {
      throw new StoreRefused(
        `Stored secrets are sealed by the master key ${[...new Set(needed)].join(", ")}, and ${path} is not there. ` +
          "Restore it from a backup, or set TOLLWAY_MASTER_KEY.",
      );
    }
    writeFileSync(path, `${Buffer.from(random.bytes(MASTER_KEY_BYTES)).toString("base64")}\n`, { mode: 0o600, flag: "wx" });
  }
  return bytesOf(readFileSync(path, "utf8"), path);
}
