// AES-256-GCM envelopes: each secret under a data key of its own, the data key under the master key. So the master key seals 32 bytes a
// secret however long the secret is, which keeps it far from what one key may seal under random nonces (2^32), and a master key that
// lives in a KMS would only have to wrap. Both layers authenticate where the value stands and which master key sealed it.
import { createCipheriv, createDecipheriv, createHmac } from "node:crypto";
import type { Random } from "../core/ports";
import { Secret } from "../core/secret";
import { MASTER_KEY_BYTES, type Sealed, type Vault, VaultFault, type VaultPlace } from "../core/vault";

const VERSION = 1;
const NONCE_BYTES = 12;
const TAG_BYTES = 16;
const WRAPPED_BYTES = NONCE_BYTES + MASTER_KEY_BYTES + TAG_BYTES;
const LEAST_BYTES = 1 + WRAPPED_BYTES + NONCE_BYTES + TAG_BYTES;

/** Names a master key without telling anything of it. */
export const masterKeyId = (key: Uint8Array): string =>
  `mk_${createHmac("sha256", key).update("tollway master key id").digest("hex").slice(0, 16)}`;

const wrappingKey = (key: Uint8Array): Buffer => createHmac("sha256", key).update("tollway vault wrapping key").digest();

export interface VaultOptions {
  /** Seals from now on, and opens what it sealed. 32 bytes. */
  current: Uint8Array;
  /** Open what they sealed before a rotation. */
  old?: readonly Uint8Array[] | undefined;
  random: Random;
}

/** No I/O. */
export function openVault({ current, old = [], random }: VaultOptions): Vault {
  const keyId = masterKeyId(current);
  const keys = new Map([current, ...old].map((key) => [masterKeyId(key), wrappingKey(key)]));
  return {
    keyId,
    keyIds: [...keys.keys()],
    seal(text, place) {
      const bound = boundTo(place, keyId);
      const dataKey = random.bytes(MASTER_KEY_BYTES);
      const wrapped = encrypt(keys.get(keyId) as Buffer, random.bytes(NONCE_BYTES), bound, dataKey);
      const inner = encrypt(dataKey, random.bytes(NONCE_BYTES), bound, Buffer.from(text.reveal(), "utf8"));
      dataKey.fill(0);
      return { masterKeyId: keyId, sealed: Buffer.concat([Uint8Array.of(VERSION), wrapped, inner]).toString("base64") };
    },
    open(value, place) {
      const key = keys.get(value.masterKeyId);
      if (key === undefined) throw new VaultFault("unknown_key", `${named(place)} is sealed by the master key ${value.masterKeyId}`);
      try {
        return new Secret(opened(key, value, place));
      } catch {
        // The driver's words would tell which layer was wrong, and that is nobody's business.
        throw new VaultFault("damaged", `${named(place)} is not what was sealed there`);
      }
    },
  };
}

const named = ({ table, row, column }: VaultPlace): string => `Column ${column} of ${table} ${row}`;

/** As JSON, so that no two places are written alike. */
const boundTo = ({ table, row, column, organizationId }: VaultPlace, keyId: string): Buffer =>
  Buffer.from(JSON.stringify(["tollway vault", VERSION, table, row, column, organizationId, keyId]), "utf8");

function encrypt(key: Uint8Array, nonce: Uint8Array, bound: Uint8Array, plain: Uint8Array): Buffer {
  const cipher = createCipheriv("aes-256-gcm", key, nonce, { authTagLength: TAG_BYTES });
  cipher.setAAD(bound);
  return Buffer.concat([nonce, cipher.update(plain), cipher.final(), cipher.getAuthTag()]);
}

function decrypt(key: Uint8Array, bytes: Uint8Array, bound: Uint8Array): Buffer {
  const decipher = createDecipheriv("aes-256-gcm", key, bytes.subarray(0, NONCE_BYTES), { authTagLength: TAG_BYTES });
  decipher.setAAD(bound);
  decipher.setAuthTag(bytes.subarray(bytes.length - TAG_BYTES));
  return Buffer.concat([decipher.update(bytes.subarray(NONCE_BYTES, bytes.length - TAG_BYTES)), decipher.final()]);
}

/** Throws where anything at all is not as it was sealed. */
function opened(key: Uint8Array, value: Sealed, place: VaultPlace): string {
  const bytes = Buffer.from(value.sealed, "base64");
  // Base64 has several spellings of the same bytes: only the one that was written passes.
  if (bytes.toString("base64") !== value.sealed || bytes.length < LEAST_BYTES || bytes[0] !== VERSION) throw new Error("shape");
  const bound = boundTo(place, value.masterKeyId);
  const dataKey = decrypt(key, bytes.subarray(1, 1 + WRAPPED_BYTES), bound);
  try {
    return decrypt(dataKey, bytes.subarray(1 + WRAPPED_BYTES), bound).toString("utf8");
  } finally {
    dataKey.fill(0);
  }
}
