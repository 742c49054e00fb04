import { describe, expect, test } from "bun:test";
import { idsFrom, systemClock, systemRandom } from "../../src/net/system";

describe("request ids", () => {
  const made = Array.from({ length: 5_000 }, () => idsFrom(systemClock).requestId());

  test("are UUIDs of version 7 and the variant of RFC 9562", () => {
    for (const id of made) expect(id).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
  });

  test("never come twice, and stand in the order of their milliseconds", () => {
    expect(new Set(made).size).toBe(made.length);
    const times = made.map((id) => id.slice(0, 13));
    expect([...times].sort()).toEqual(times);
  });

  test("begin with the clock's milliseconds", () => {
    const at = Date.UTC(2026, 10, 23, 12);
    const id = idsFrom({ ...systemClock, now: () => at }).requestId();
    expect(Number.parseInt(id.replaceAll("-", "").slice(0, 12), 16)).toBe(at);
  });
});

describe("the system's clock", () => {
  test("sleep() ends with the signal's reason, before and while it sleeps", async () => {
    const reason = new Error("enough");
    expect(await systemClock.sleep(60_000, AbortSignal.abort(reason)).catch((error: unknown) => error)).toBe(reason);
    const leave = new AbortController();
    const sleeping = systemClock.sleep(60_000, leave.signal).catch((error: unknown) => error);
    leave.abort(reason);
    expect(await sleeping).toBe(reason);
  });

  test("after() fires once, and not at all when it was cancelled", async () => {
    const fired: string[] = [];
    systemClock.after(0, () => fired.push("cancelled"))();
    const { promise, resolve } = Promise.withResolvers<void>();
    systemClock.after(1, () => {
      fired.push("fired");
      resolve();
    });
    await promise;
    expect(fired).toEqual(["fired"]);
  });

  test("elapsedMs() never goes back", () => {
    let before = systemClock.elapsedMs();
    for (let n = 0; n < 1_000; n++) {
      const now = systemClock.elapsedMs();
      expect(now).toBeGreaterThanOrEqual(before);
      before = now;
    }
  });
});

describe("the system's chance", () => {
  test("bytes() gives as many as asked, its own each time, small or large", () => {
    for (const length of [0, 1, 10, 32, 4_095, 4_096, 4_097, 10_000]) expect(systemRandom.bytes(length)).toHaveLength(length);
    const seen = new Set(Array.from({ length: 2_000 }, () => Buffer.from(systemRandom.bytes(16)).toString("hex")));
    expect(seen.size).toBe(2_000);
  });

  test("bytes that were handed out do not change afterwards", () => {
    const first = systemRandom.bytes(32);
    const copy = Uint8Array.from(first);
    for (let n = 0; n < 500; n++) systemRandom.bytes(32);
    expect(first).toEqual(copy);
  });

  test("next() lies in [0, 1)", () => {
    for (let n = 0; n < 1_000; n++) {
      const value = systemRandom.next();
      expect(value >= 0 && value < 1).toBe(true);
    }
  });
});
