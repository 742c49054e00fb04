// The shape of an API key: `<prefix>_<mode>_` + 12 public characters + a 256-bit secret in base62 (43) + CRC32 in base62 (6).
// Shape and checksum are checked before any look-up, so garbage never reaches the store.

export type KeyMode = "live" | "test";

export const BASE62 = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
export const PUBLIC_ID_LENGTH = 12;
export const SECRET_LENGTH = 43;
export const CHECKSUM_LENGTH = 6;

export interface KeyParts {
  mode: KeyMode;
  /** The 12 public characters; `key_<publicId>` is the key's id. */
  publicId: string;
  secret: string;
}

const CRC_TABLE = Uint32Array.from({ length: 256 }, (_, n) => {
  let c = n;
  for (let k = 0; k < 8; k++) c = c & 1 ? 0xedb88320 ^ (c >>> 1) : c >>> 1;
  return c;
});

/** CRC-32 (IEEE 802.3) of an ASCII text. */
export function crc32(text: string): number {
  let crc = 0xffffffff;
  for (let i = 0; i < text.length; i++) crc = (CRC_TABLE[(crc ^ text.charCodeAt(i)) & 0xff] as number) ^ (crc >>> 8);
  return (crc ^ 0xffffffff) >>> 0;
}

/** A non-negative integer in base62, left-padded to `length`. */
export function base62(value: bigint, length: number): string {
  let text = "";
  for (let rest = value; rest > 0n; rest /= 62n) text = BASE62[Number(rest % 62n)] + text;
  return text.padStart(length, "0");
}

export function keyChecksum(head: string): string {
  let text = "";
  // Plain numbers: this runs for every call, before anything else is believed.
  for (let rest = crc32(head), n = 0; n < CHECKSUM_LENGTH; n++, rest = Math.floor(rest / 62)) text = (BASE62[rest % 62] as string) + text;
  return text;
}

/** Puts a key together. `secret` is 32 random bytes; `publicId` 12 base62 characters. */
export function formatKey(prefix: string, mode: KeyMode, publicId: string, secret: Uint8Array): string {
  let number = 0n;
  for (const byte of secret) number = (number << 8n) | BigInt(byte);
  const head = `${prefix}_${mode}_${publicId}${base62(number, SECRET_LENGTH)}`;
  return head + keyChecksum(head);
}

const IS_BASE62 = /^[0-9A-Za-z]+$/;

/** Takes a presented key apart; undefined when its shape or checksum is wrong. No look-up, no secret kept. */
export function parseKey(prefix: string, presented: string): KeyParts | undefined {
  const body = PUBLIC_ID_LENGTH + SECRET_LENGTH + CHECKSUM_LENGTH;
  for (const mode of ["live", "test"] as const) {
    const start = `${prefix}_${mode}_`;
    if (presented.length !== start.length + body || !presented.startsWith(start)) continue;
    // The checksum reads one byte a character, so a character beyond ASCII could pass for another: the alphabet is checked too.
    if (!IS_BASE62.test(presented.slice(start.length))) return undefined;
    const head = presented.slice(0, -CHECKSUM_LENGTH);
    if (keyChecksum(head) !== presented.slice(-CHECKSUM_LENGTH)) return undefined;
    const publicId = presented.slice(start.length, start.length + PUBLIC_ID_LENGTH);
    const secret = presented.slice(start.length + PUBLIC_ID_LENGTH, -CHECKSUM_LENGTH);
    return { mode, publicId, secret };
  }
  return undefined;
}

/** The public id of a text that has a key's shape. Its checksum is not looked at: whoever compares the secret's hash need not. */
export function publicIdOf(prefix: string, presented: string): string | undefined {
  // "live" and "test" are of one length.
  const start = prefix.length + "_live_".length;
  if (presented.length !== start + PUBLIC_ID_LENGTH + SECRET_LENGTH + CHECKSUM_LENGTH || !presented.startsWith(prefix)) return undefined;
  return presented.slice(start, start + PUBLIC_ID_LENGTH);
}

/** A public id from at least 12 random bytes. Slightly biased (256 mod 62); it is a name, not a secret. */
export const publicIdFrom = (random: Uint8Array): string =>
  Array.from(random.subarray(0, PUBLIC_ID_LENGTH), (byte) => BASE62[byte % 62]).join("");
