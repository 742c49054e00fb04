// The vault: what is sealed opens where it was sealed, and nowhere else, and not with a byte changed.
import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { Secret } from "../../src/core/secret";
import { credentialPlace, masterKeyOf, type Sealed, VaultFault, type VaultPlace, webhookPlace } from "../../src/core/vault";
import { systemRandom } from "../../src/net/system";
import { masterKeyId, openVault } from "../../src/store/vault";

const KEY = new Uint8Array(32).fill(1);
const OTHER = new Uint8Array(32).fill(2);
const vault = openVault({ current: KEY, random: systemRandom });
const place: VaultPlace = credentialPlace({ id: "cred_000000000000", organizationId: "default" });
const CANARY = "sk-canary-0123456789";

const faultOf = (value: Sealed, at: VaultPlace, by = vault): VaultFault => {
  try {
    by.open(value, at);
  } catch (thrown) {
    if (thrown instanceof VaultFault) return thrown;
    throw thrown;
  }
  throw new Error("It opened");
};

describe("the vault", () => {
  test("opens what it has sealed, whatever text it is", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary", maxLength: 200 }), (text) => {
        expect(vault.open(vault.seal(new Secret(text), place), place).reveal()).toBe(text);
      }),
    );
  });

  test("never seals the same text alike, and shows nothing of it", () => {
    const seen = new Set(Array.from({ length: 100 }, () => vault.seal(new Secret(CANARY), place).sealed));
    expect(seen.size).toBe(100);
    for (const sealed of seen) expect(Buffer.from(sealed, "base64").includes(CANARY)).toBe(false);
  });

  test("detects every byte of a sealed value that is changed to any other", () => {
    const value = vault.seal(new Secret(CANARY), place);
    const bytes = Buffer.from(value.sealed, "base64");
    let tried = 0;
    for (let at = 0; at < bytes.length; at++) {
      for (let flip = 1; flip < 256; flip++) {
        const changed = Buffer.from(bytes);
        changed[at] = (changed[at] as number) ^ flip;
        expect(() => vault.open({ ...value, sealed: changed.toString("base64") }, place)).toThrow(VaultFault);
        tried++;
      }
    }
    expect(tried).toBe(bytes.length * 255);
  });

  test("detects every character of its base64 that is changed, left out, doubled or spelled otherwise", () => {
    const value = vault.seal(new Secret(`${CANARY}!`), place);
    const { sealed } = value;
    const others = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/-_= \n\u0000é";
    for (let at = 0; at < sealed.length; at++) {
      for (const other of others) {
        if (other === sealed[at]) continue;
        faultOf({ ...value, sealed: sealed.slice(0, at) + other + sealed.slice(at + 1) }, place);
      }
      faultOf({ ...value, sealed: sealed.slice(0, at) + sealed.slice(at + 1) }, place);
      faultOf({ ...value, sealed: sealed.slice(0, at) + (sealed[at] as string) + sealed.slice(at) }, place);
      faultOf({ ...value, sealed: sealed.slice(0, at) }, place);
    }
    faultOf({ ...value, sealed: `${sealed}=` }, place);
    faultOf({ ...value, sealed: `${sealed}AAAA` }, place);
  });

  test.each<[string, VaultPlace]>([
    ["table", { ...place, table: "webhook" }],
    ["row", { ...place, row: "cred_111111111111" }],
    ["column", { ...place, column: "other" }],
    ["organization", { ...place, organizationId: "org_other" }],
    ["row and organization, whose names together read the same", { ...place, row: `${place.row}d`, organizationId: "efault" }],
    ["kind of record", webhookPlace({ id: place.row, organizationId: "default" })],
  ])("does not open in another %s", (_, other) => {
    const fault = faultOf(vault.seal(new Secret(CANARY), place), other);
    expect(fault.kind).toBe("damaged");
    expect(fault.message).toContain(other.row);
    expect(fault.message).not.toContain(CANARY);
  });

  test("does not open as sealed by another key, whichever keys are here", () => {
    const both = openVault({ current: OTHER, old: [KEY], random: systemRandom });
    const value = vault.seal(new Secret(CANARY), place);
    expect(both.open(value, place).reveal()).toBe(CANARY);
    expect(faultOf({ ...value, masterKeyId: both.keyId }, place, both).kind).toBe("damaged");
    const fault = faultOf(value, place, openVault({ current: OTHER, random: systemRandom }));
    expect(fault.kind).toBe("unknown_key");
    expect(fault.message).toContain(vault.keyId);
  });

  test("does not put the halves of two values together", () => {
    const one = Buffer.from(vault.seal(new Secret(CANARY), place).sealed, "base64");
    const two = Buffer.from(vault.seal(new Secret(CANARY), place).sealed, "base64");
    const wrapped = 1 + 12 + 32 + 16;
    const mixed = Buffer.concat([one.subarray(0, wrapped), two.subarray(wrapped)]).toString("base64");
    expect(faultOf({ masterKeyId: vault.keyId, sealed: mixed }, place).kind).toBe("damaged");
  });

  test("seals with the current key alone, and names its keys without telling them", () => {
    const both = openVault({ current: OTHER, old: [KEY], random: systemRandom });
    expect(both.seal(new Secret("x"), place).masterKeyId).toBe(both.keyId);
    expect(both.keyIds).toEqual([masterKeyId(OTHER), masterKeyId(KEY)]);
    expect(vault.keyId).toMatch(/^mk_[0-9a-f]{16}$/);
    expect(JSON.stringify(both)).not.toContain(Buffer.from(OTHER).toString("base64"));
  });
});

describe("a master key is written", () => {
  test("as hex or base64, and read to the same bytes", () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 32, maxLength: 32 }), (key) => {
        const bytes = Buffer.from(key);
        for (const text of [
          bytes.toString("hex"),
          bytes.toString("hex").toUpperCase(),
          bytes.toString("base64"),
          bytes.toString("base64url"),
        ])
          expect(Buffer.from(masterKeyOf(text) as Uint8Array).equals(bytes)).toBe(true);
      }),
    );
  });

  test.each([
    "",
    "short",
    "0".repeat(63),
    "0".repeat(65),
    "g".repeat(64),
    "A".repeat(42),
    "A".repeat(44),
    `${"A".repeat(43)}==`,
    "é".repeat(43),
  ])("and never as %p", (text) => {
    expect(masterKeyOf(text)).toBeUndefined();
  });
});
