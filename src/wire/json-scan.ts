// One pass over a JSON text before anything parses it: JSON.parse takes five million levels, and of two equal keys it keeps the
// last where another reader keeps the first (and so reads a model that was never allowed).
import { Failure } from "../core/failure";
import { hasEscape, type MemberSpan, spaceEnd, stringEnd, stringText } from "./json-walk";

const QUOTE = 0x22;
const COMMA = 0x2c;
const COLON = 0x3a;
const OPEN_ARRAY = 0x5b;
const CLOSE_ARRAY = 0x5d;
const OPEN_OBJECT = 0x7b;
const CLOSE_OBJECT = 0x7d;

/** Objects of up to so many plain keys are checked by comparing hashes in one reused array; others by a set of strings. */
const SMALL_OBJECT_KEYS = 32;
const KEY_CHARACTERS_SHOWN = 100;

export interface ScanOptions {
  /** The most objects and arrays within one another. */
  maxDepth: number;
}

/** What stands at the top of the text. */
export interface JsonScan {
  /** The members of the top-level object, in order; empty where there is no object. */
  members: readonly MemberSpan[];
}

/**
 * Bounds the depth and refuses an object with two equal keys, at any depth and however they are escaped. Linear in the bytes.
 * Throws `Failure` `invalid_json`, for a key with its name in `param`. Does not validate: parsing follows.
 */
export function scanJson(bytes: Uint8Array, options: ScanOptions): JsonScan {
  return new Scanner(bytes, options.maxDepth).run();
}

class Scanner {
  readonly #bytes: Uint8Array;
  readonly #maxDepth: number;
  readonly #members: MemberSpan[] = [];
  /** By depth: whether it is an object, and where its keys begin in the key stack. */
  readonly #isObject: boolean[] = [];
  readonly #firstKey: number[] = [];
  /** By depth: the keys of an object that is large or has escaped keys. */
  readonly #large: (Set<string> | undefined)[] = [];
  readonly #keyHash: number[] = [];
  readonly #keyStart: number[] = [];
  readonly #keyEnd: number[] = [];
  #depth = 0;
  #keys = 0;

  constructor(bytes: Uint8Array, maxDepth: number) {
    this.#bytes = bytes;
    this.#maxDepth = maxDepth;
  }

  run(): JsonScan {
    const bytes = this.#bytes;
    let expectsKey = false;
    for (let i = 0; i < bytes.length; ) {
      const byte = bytes[i];
      switch (byte) {
        case QUOTE: {
          const end = stringEnd(bytes, i);
          if (expectsKey) this.#key(i, end);
          expectsKey = false;
          i = end;
          continue;
        }
        case OPEN_OBJECT:
        case OPEN_ARRAY:
          expectsKey = byte === OPEN_OBJECT;
          this.#open(expectsKey);
          break;
        case CLOSE_OBJECT:
        case CLOSE_ARRAY:
          expectsKey = false;
          if (this.#depth === 1) this.#endMember(i);
          this.#close();
          break;
        case COMMA:
          expectsKey = this.#depth > 0 && this.#isObject[this.#depth - 1] === true;
          if (this.#depth === 1) this.#endMember(i);
          break;
        case COLON:
          if (this.#depth === 1) this.#startValue(i + 1);
          break;
      }
      i++;
    }
    return { members: this.#members };
  }

  #open(isObject: boolean): void {
    if (this.#depth === this.#maxDepth) {
      throw new Failure("invalid_json", `The JSON is nested deeper than ${this.#maxDepth} levels`);
    }
    this.#isObject[this.#depth] = isObject;
    this.#firstKey[this.#depth] = this.#keys;
    this.#large[this.#depth] = undefined;
    this.#depth++;
  }

  #close(): void {
    if (this.#depth === 0) return;
    this.#depth--;
    this.#keys = this.#firstKey[this.#depth] ?? 0;
  }

  #key(start: number, end: number): void {
    if (this.#depth === 1) this.#members.push({ keyStart: start, keyEnd: end, valueStart: end, valueEnd: end });
    const large = this.#large[this.#depth - 1];
    if (large) {
      this.#addLarge(large, start, end);
      return;
    }
    const first = this.#firstKey[this.#depth - 1] ?? 0;
    if (this.#keys - first >= SMALL_OBJECT_KEYS || hasEscape(this.#bytes, start, end)) {
      this.#addLarge(this.#enlarge(first), start, end);
      return;
    }
    const hash = this.#hash(start, end);
    for (let k = first; k < this.#keys; k++) if (this.#keyHash[k] === hash && this.#sameKey(k, start, end)) this.#refuse(start, end);
    this.#keyHash[this.#keys] = hash;
    this.#keyStart[this.#keys] = start;
    this.#keyEnd[this.#keys] = end;
    this.#keys++;
  }

  /** From here on the object's keys are strings in a set. */
  #enlarge(first: number): Set<string> {
    const keys = new Set<string>();
    for (let k = first; k < this.#keys; k++) keys.add(stringText(this.#bytes, this.#keyStart[k] ?? 0, this.#keyEnd[k] ?? 0));
    this.#large[this.#depth - 1] = keys;
    this.#keys = first;
    return keys;
  }

  #addLarge(keys: Set<string>, start: number, end: number): void {
    const before = keys.size;
    keys.add(stringText(this.#bytes, start, end));
    if (keys.size === before) this.#refuse(start, end);
  }

  /** FNV-1a of a key without escapes. A forged collision costs one comparison of two keys. */
  #hash(start: number, end: number): number {
    let hash = 0x811c9dc5;
    for (let i = start + 1; i < end - 1; i++) hash = Math.imul(hash ^ (this.#bytes[i] ?? 0), 0x01000193);
    return hash;
  }

  #sameKey(k: number, start: number, end: number): boolean {
    const otherStart = this.#keyStart[k] ?? 0;
    if ((this.#keyEnd[k] ?? 0) - otherStart !== end - start) return false;
    for (let i = 0; i < end - start; i++) if (this.#bytes[otherStart + i] !== this.#bytes[start + i]) return false;
    return true;
  }

  #refuse(start: number, end: number): never {
    const key = stringText(this.#bytes, start, end).slice(0, KEY_CHARACTERS_SHOWN);
    throw new Failure("invalid_json", `The key "${key}" stands twice in one object`, { param: key });
  }

  #startValue(at: number): void {
    const member = this.#members.at(-1);
    if (!member || member.valueStart !== member.keyEnd) return;
    member.valueStart = spaceEnd(this.#bytes, at);
    member.valueEnd = member.valueStart;
  }

  #endMember(at: number): void {
    const member = this.#members.at(-1);
    if (!member || member.valueEnd !== member.valueStart) return;
    let end = at;
    while (end > member.valueStart && isSpace(this.#bytes[end - 1])) end--;
    member.valueEnd = end;
  }
}

const isSpace = (byte: number | undefined): boolean => byte === 0x20 || byte === 0x0a || byte === 0x0d || byte === 0x09;
