import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { BASE62, base62, crc32, formatKey, type KeyMode, keyChecksum, parseKey, publicIdFrom } from "../../src/core/ids";

const base62Text = (length: number) => fc.string({ unit: fc.constantFrom(...BASE62), minLength: length, maxLength: length });
const secret = fc.uint8Array({ minLength: 32, maxLength: 32 });
const mode = fc.constantFrom<KeyMode>("live", "test");
const prefix = fc.constantFrom("tw", "cx", "sl", "spx", "a");
const key = fc.record({ prefix, mode, publicId: base62Text(12), secret });

describe("crc32()", () => {
  // The check value of the IEEE 802.3 polynomial, and the empty text.
  test.each<[string, number]>([
    ["", 0],
    ["123456789", 0xcbf43926],
    ["The quick brown fox jumps over the lazy dog", 0x414fa339],
  ])("of %p is what the standard says", (text, sum) => {
    expect(crc32(text)).toBe(sum);
  });
});

describe("base62()", () => {
  test("counts in the order of its alphabet and fills up with zeros", () => {
    expect(base62(0n, 3)).toBe("000");
    expect(base62(61n, 1)).toBe("z");
    expect(base62(62n, 2)).toBe("10");
    expect(base62(2n ** 256n - 1n, 43)).toHaveLength(43);
  });

  test("a key's checksum is its CRC in base62", () => {
    fc.assert(
      fc.property(fc.string({ unit: fc.constantFrom(...BASE62, "_") }), (text) => {
        expect(keyChecksum(text)).toBe(base62(BigInt(crc32(text)), 6));
      }),
    );
  });
});

describe("formatKey() and parseKey()", () => {
  test("a key names its mode and its public characters, in a fixed length", () => {
    const made = formatKey("tw", "live", "abcdefGHIJ12", new Uint8Array(32));
    expect(made).toStartWith("tw_live_abcdefGHIJ12");
    expect(made).toHaveLength("tw_live_".length + 12 + 43 + 6);
    expect(made).toMatch(/^tw_live_[0-9A-Za-z]{61}$/);
  });

  test("what one puts together the other takes apart", () => {
    fc.assert(
      fc.property(key, (parts) => {
        const read = parseKey(parts.prefix, formatKey(parts.prefix, parts.mode, parts.publicId, parts.secret));
        expect(read).toMatchObject({ mode: parts.mode, publicId: parts.publicId });
        expect(read?.secret).toHaveLength(43);
      }),
    );
  });

  test("two secrets never look alike", () => {
    fc.assert(
      fc.property(secret, secret, (a, b) => {
        fc.pre(!Buffer.from(a).equals(Buffer.from(b)));
        expect(formatKey("tw", "live", "abcdefGHIJ12", a)).not.toBe(formatKey("tw", "live", "abcdefGHIJ12", b));
      }),
    );
  });

  test("any single changed character is refused, wherever it stands and whatever it becomes", () => {
    fc.assert(
      fc.property(
        key,
        fc.nat(),
        fc.oneof(fc.string({ unit: "binary", minLength: 1, maxLength: 1 }), fc.constantFrom(...BASE62)),
        (parts, at, other) => {
          const made = formatKey(parts.prefix, parts.mode, parts.publicId, parts.secret);
          const place = at % made.length;
          fc.pre(made[place] !== other);
          expect(parseKey(parts.prefix, made.slice(0, place) + other + made.slice(place + 1))).toBeUndefined();
        },
      ),
      { numRuns: 2_000 },
    );
  });

  test("a letter of another alphabet does not pass for one with the same low byte", () => {
    const made = formatKey("tw", "live", "Abcdefghijkl", new Uint8Array(32).fill(7));
    const twin = made.replace("A", "\u0141"); // 0x41 is "A".
    expect(crc32(twin)).toBe(crc32(made));
    expect(parseKey("tw", made)).toBeDefined();
    expect(parseKey("tw", twin)).toBeUndefined();
  });

  test("a character too few or too many, two swapped, another prefix, the other mode: all refused", () => {
    fc.assert(
      fc.property(key, fc.nat(), (parts, at) => {
        const made = formatKey(parts.prefix, parts.mode, parts.publicId, parts.secret);
        const place = at % (made.length - 1);
        expect(parseKey(parts.prefix, made.slice(0, place) + made.slice(place + 1))).toBeUndefined();
        expect(parseKey(parts.prefix, `${made.slice(0, place)}0${made.slice(place)}`)).toBeUndefined();
        expect(parseKey(`${parts.prefix}x`, made)).toBeUndefined();
        const other = parts.mode === "live" ? "_test_" : "_live_";
        expect(parseKey(parts.prefix, made.replace(`_${parts.mode}_`, other))).toBeUndefined();
        const [a, b] = [made[place] as string, made[place + 1] as string];
        if (a !== b) expect(parseKey(parts.prefix, made.slice(0, place) + b + a + made.slice(place + 2))).toBeUndefined();
      }),
    );
  });

  test("whatever is presented is refused without a throw", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary" }), (text) => {
        expect(parseKey("tw", text)).toBeUndefined();
        expect(parseKey("tw", `tw_live_${text}`)).toBeUndefined();
      }),
    );
  });
});

describe("publicIdFrom()", () => {
  test("gives twelve characters of the alphabet for any bytes", () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 12, maxLength: 40 }), (bytes) => {
        expect(publicIdFrom(bytes)).toMatch(/^[0-9A-Za-z]{12}$/);
      }),
    );
  });
});
