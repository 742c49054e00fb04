// The payloads of events, held equal to what docs/webhooks.md shows.
import { describe, expect, test } from "bun:test";
import { join } from "node:path";
import type { AttemptRecord } from "../../src/core/attempt";
import type { Budget } from "../../src/core/budget";
import { EVENT_TYPES, type GatewayEvent } from "../../src/core/event";
import type { ApiKey } from "../../src/core/exchange";
import { nanoUsd } from "../../src/core/money";
import { crossingEvents, keyEvent, overrunEvent, refusedEvents } from "../../src/policy/alert";

const NOW = Date.UTC(2026, 10, 23, 9);
const HOUR = 3_600_000;

const budget = (changes: Partial<Budget> = {}): Budget => ({
  id: "bdg_0123456789ab",
  organizationId: "default",
  scope: { kind: "project", id: "proj_1" },
  limit: nanoUsd(50_000_000_000n),
  window: { unit: "month", rolling: false, zone: "Europe/Berlin" },
  hard: true,
  thresholds: [{ percent: 80, action: "alert" }],
  createdAt: 0,
  ...changes,
});

const crossing = (of: Budget, percent: number) =>
  crossingEvents({ budget: of, percent, action: "alert", spent: nanoUsd(40_013_200_000n), periodStart: NOW - HOUR }, "live", NOW);

function only(events: readonly GatewayEvent[]): GatewayEvent {
  expect(events).toHaveLength(1);
  return events[0] as GatewayEvent;
}

const refused = (of: Budget, now = NOW): GatewayEvent =>
  only(refusedEvents({ budget: of, spent: nanoUsd(1n), reserved: nanoUsd(2n) }, "live", now));

const account = budget({
  id: "acct_1",
  thresholds: [],
  standsFor: { kind: "credit-account", mode: "live", markupBasisPoints: 0, lowAt: nanoUsd(5_000_000_000n) },
});

const attempt: AttemptRecord = {
  attemptId: "r.1",
  requestId: "r",
  attemptNumber: 1,
  heldAt: NOW,
  organizationId: "default",
  keyId: "key_1",
  mode: "live",
  door: "chat",
  provider: "openai",
  modelRequested: "m",
  modelServed: "m",
  stream: false,
  bound: nanoUsd(400_000n),
};

const key: ApiKey = {
  id: "key_1",
  organizationId: "default",
  name: "billing",
  mode: "live",
  createdAt: NOW,
  responseMetadata: "inline",
  dropParams: false,
  policy: {},
};

describe("docs/webhooks.md", async () => {
  const text = await Bun.file(join(import.meta.dir, "../../docs/webhooks.md")).text();
  const shown = new Map(
    [...text.matchAll(/```json\n([\s\S]*?)```/g)].map((match) => {
      const example = JSON.parse(match[1] ?? "") as { type: string; data: Record<string, unknown> };
      return [example.type, example.data] as const;
    }),
  );

  test("names every event", () => {
    for (const type of EVENT_TYPES) expect(text).toContain(type);
  });

  test.each([
    crossing(budget(), 80)[0],
    refused(budget()),
    refused(account),
    overrunEvent(attempt, nanoUsd(600_000n)),
    keyEvent("key.created", key, NOW),
    keyEvent("key.revoked", { ...key, revokedAt: NOW }, NOW),
  ])("shows the payload of $type as it is", (event) => {
    expect(Object.keys(event?.data ?? {}).sort()).toEqual(Object.keys(shown.get(event?.type ?? "") ?? {}).sort());
    // What cannot be written as JSON would only fail when it is sent.
    expect(JSON.parse(JSON.stringify(event?.data))).toEqual(event?.data);
  });
});

describe("a budget's events", () => {
  test("are the threshold's, and at the limit that of a whole budget too", () => {
    const whole = budget({ thresholds: [{ percent: 100, action: "alert" }] });
    expect(crossing(budget(), 80).map(({ type }) => type)).toEqual(["budget.threshold"]);
    expect(crossing(whole, 100).map(({ type }) => type)).toEqual(["budget.threshold", "budget.exceeded"]);
    expect(crossing(budget(), 100).map(({ type }) => type)).toEqual(["budget.exceeded"]);
  });

  test("say when the budget begins anew, in its own zone", () => {
    expect(crossing(budget(), 80)[0]?.data["resets_at"]).toBe("2026-11-30T23:00:00.000Z");
    expect(crossing(budget({ window: { unit: "lifetime", rolling: false, zone: "UTC" } }), 80)[0]?.data["resets_at"]).toBeNull();
  });

  test("of refusals are told once a period, limit and mode: reached or refused alike", () => {
    const [, reached] = crossing(budget({ thresholds: [{ percent: 100, action: "alert" }] }), 100);
    expect(refused(budget()).once).toBe(reached?.once);
    expect(refused(budget(), NOW + HOUR).once).toBe(refused(budget()).once);
    expect(refused(budget(), NOW + 31 * 24 * HOUR).once).not.toBe(refused(budget()).once);
    expect(refused(budget({ limit: nanoUsd(1n) })).once).not.toBe(refused(budget()).once);
  });

  test("of a rolling window are told once in its length, though its buckets are short", () => {
    const rolling = budget({ window: { unit: "day", rolling: true, zone: "UTC" } });
    expect(refused(rolling, NOW + HOUR).once).toBe(refused(rolling).once);
    expect(refused(rolling, NOW + 24 * HOUR).once).not.toBe(refused(rolling).once);
  });

  test("of a prepaid balance are credits.low, once between two entries", () => {
    const [low] = crossing(account, 100);
    expect(low).toMatchObject({
      type: "credits.low",
      data: { account_id: "acct_1", available_usd: "9.9868", credited_usd: "50", refused: false },
    });
    expect(refused(account).once).toBe(low?.once);
    expect(refused({ ...account, limit: nanoUsd(60_000_000_000n) }).once).not.toBe(low?.once);
    expect(refused({ ...account, limit: nanoUsd(-1n) }).once).toMatch(/^[A-Za-z0-9_]+$/);
  });

  test("of a run's own limit are none", () => {
    const run = budget({ standsFor: { kind: "run", mode: "live", markupBasisPoints: 0 } });
    expect([...crossing(run, 100), ...refusedEvents({ budget: run, spent: nanoUsd(0n), reserved: nanoUsd(0n) }, "live", NOW)]).toEqual([]);
  });

  test("have names that a header can carry", () => {
    expect(refused(budget()).once).toMatch(/^[A-Za-z0-9_]+$/);
  });
});
