// What a key may ask for and from where: globs of model ids, addresses and ranges. Matchers of our own, linear in what they read.

/** Longer patterns name no model. */
const GLOB_MAX = 256;
const GLOB = /^[A-Za-z0-9*._:/@+-]+$/;

/** Why a text is no glob of model ids; undefined: it is one. `*` stands for any characters, a `/` included; nothing else is special. */
export function globFault(glob: string): string | undefined {
  if (glob === "") return "is empty";
  if (glob.length > GLOB_MAX) return `is longer than ${GLOB_MAX} characters`;
  if (!GLOB.test(glob)) return "holds a character that no model id has; the one wildcard is *";
  return undefined;
}

/** Case counts, as it does at the providers. */
export function matchesGlob(glob: string, id: string): boolean {
  const pieces = glob.split("*");
  const first = pieces[0] ?? "";
  const last = pieces.at(-1) ?? "";
  if (pieces.length === 1) return glob === id;
  if (id.length < first.length + last.length || !id.startsWith(first) || !id.endsWith(last)) return false;
  let at = first.length;
  const end = id.length - last.length;
  // The leftmost place of each piece leaves the most room for those after it.
  for (const piece of pieces.slice(1, -1)) {
    const found = id.indexOf(piece, at);
    if (found === -1 || found + piece.length > end) return false;
    at = found + piece.length;
  }
  return true;
}

/** No list allows everything; an empty one nothing. */
export const mayUseModel = (globs: readonly string[] | undefined, id: string): boolean =>
  globs === undefined || globs.some((glob) => matchesGlob(glob, id));

/** An address as its 4 or 16 bytes. IPv4 inside IPv6 (`::ffff:1.2.3.4`) is IPv4. */
export type Address = readonly number[];

/** undefined: it is none. Zones (`%eth0`) are refused. */
export function parseAddress(text: string): Address | undefined {
  if (!text.includes(":")) return parseV4(text);
  const v6 = parseV6(text);
  const isMapped = v6?.slice(0, 12).every((byte, i) => byte === (i < 10 ? 0 : 0xff));
  return isMapped ? v6?.slice(12) : v6;
}

export interface Range {
  readonly address: Address;
  /** Leading bits that count. */
  readonly bits: number;
}

/** An address, or a range in CIDR ("10.0.0.0/8", "2001:db8::/32"). undefined: neither. Bits behind the prefix are not looked at. */
export function parseRange(text: string): Range | undefined {
  const slash = text.indexOf("/");
  const written = slash === -1 ? text : text.slice(0, slash);
  const address = parseAddress(written);
  if (!address) return undefined;
  const most = address.length * 8;
  if (slash === -1) return { address, bits: most };
  const digits = text.slice(slash + 1);
  if (!/^\d{1,3}$/.test(digits) || (digits.length > 1 && digits.startsWith("0"))) return undefined;
  // A prefix of the mapped form counts the 96 bits that stand before the address.
  const bits = Number(digits) - (address.length === 4 && written.includes(":") ? 96 : 0);
  return bits < 0 || bits > most ? undefined : { address, bits };
}

/** Whether an address is in one of the ranges. What cannot be read is in none, and holds none. */
export function isAllowedAddress(ranges: readonly string[] | undefined, text: string | undefined): boolean {
  if (ranges === undefined) return true;
  const address = text === undefined ? undefined : parseAddress(text);
  return address !== undefined && ranges.some((range) => inRange(parseRange(range), address));
}

function inRange(range: Range | undefined, address: Address): boolean {
  if (range?.address.length !== address.length) return false;
  for (let i = 0, left = range.bits; left > 0; i++, left -= 8) {
    const mask = left >= 8 ? 0xff : 0xff << (8 - left);
    if ((((range.address[i] ?? 0) ^ (address[i] ?? 0)) & mask & 0xff) !== 0) return false;
  }
  return true;
}

/** Four decimal numbers without leading zeros: "010" is 8 to some readers. */
function parseV4(text: string): number[] | undefined {
  const parts = text.split(".");
  if (parts.length !== 4 || !parts.every((part) => /^(?:0|[1-9]\d{0,2})$/.test(part))) return undefined;
  const bytes = parts.map(Number);
  return bytes.every((byte) => byte <= 255) ? bytes : undefined;
}

function parseV6(text: string): number[] | undefined {
  if (text.length > 45) return undefined;
  const halves = text.split("::");
  if (halves.length > 2) return undefined;
  const head = groupsOf(halves[0] ?? "", halves.length === 1);
  const tail = halves.length === 1 ? [] : groupsOf(halves[1] ?? "", true);
  if (!head || !tail) return undefined;
  const missing = 16 - head.length - tail.length;
  if (halves.length === 1 ? missing !== 0 : missing < 2) return undefined;
  return [...head, ...new Array<number>(missing).fill(0), ...tail];
}

/** The bytes of groups of hexadecimal digits; the last may be an IPv4 address where the text ends with it. */
function groupsOf(text: string, last: boolean): number[] | undefined {
  if (text === "") return [];
  const bytes: number[] = [];
  const groups = text.split(":");
  for (const [i, group] of groups.entries()) {
    if (last && i === groups.length - 1 && group.includes(".")) {
      const v4 = parseV4(group);
      if (!v4) return undefined;
      bytes.push(...v4);
    } else {
      if (!/^[0-9a-fA-F]{1,4}$/.test(group)) return undefined;
      const value = Number.parseInt(group, 16);
      bytes.push(value >> 8, value & 0xff);
    }
  }
  return bytes;
}
