// Recorded answers of the three providers through the whole line: one ledger row each, with the right cost.
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import type { LedgerRow } from "../../src/core/ports";
import { costOf } from "../../src/policy/pricing";
import { settle } from "../../src/policy/settlement";
import { ManualClock } from "../contract/manual-clock";
import { HAND_CHECKED } from "../policy/hand-checked";
import { usageOfRecording } from "../policy/recorded-usage";
import { type Recording, recordings, sharedMissing } from "../recordings/load";
import { startUpstream, type Upstream } from "../upstream/upstream";
import { type RunningHouse, startHouse } from "./house";

const FORMATS = [
  ["openai", "openai-chat"],
  ["anthropic", "anthropic-messages"],
  ["gemini", "gemini"],
] as const;

/** Whole answers; those in which the provider failed are told apart by what the decoder says of them. */
const answered: readonly Recording[] = FORMATS.flatMap(([provider, format]) => recordings(provider, format)).filter(
  ({ status }) => status === 200,
);

/** Where the id that was asked for is not recorded, any of the provider's models stands for it. */
const FALLBACK_MODEL: Readonly<Record<string, string>> = {
  openai: "gpt-4o-mini",
  anthropic: "claude-haiku-4-5",
  gemini: "gemini-2.5-flash",
};

const usageOrFailure = (recording: Recording): ReturnType<typeof usageOfRecording> | "failed" => {
  try {
    return usageOfRecording(recording);
  } catch (error) {
    if (error instanceof Error && error.name === "Failure") return "failed";
    throw error;
  }
};

let upstream: Upstream;
let house: RunningHouse;
let key: string;

beforeAll(async () => {
  upstream = await startUpstream();
  house = await startHouse({ upstream: upstream.url, clock: new ManualClock(Date.parse("2026-10-01T12:00:00Z")) });
  key = await house.key();
});
afterAll(async () => {
  await house.close();
  await upstream.close();
});

/** Plays one recording and gives the rows that its call left. */
async function rowsOf(recording: Recording, model: string): Promise<readonly LedgerRow[]> {
  upstream.play(recording.id);
  const response = await house.chat(key, {
    model,
    provider: { only: [recording.provider] },
    stream: recording.stream,
    max_completion_tokens: 1_000,
    messages: [{ role: "user", content: "What was asked is not what this is about." }],
  });
  await response.text();
  await house.settled();
  const requestId = response.headers.get("x-request-id") ?? "";
  const { data } = await house.ports.records.audit({ organizationId: "default", requestId, limit: 1 });
  return data[0]?.attempts ?? [];
}

describe.skipIf(sharedMissing)("recorded answers through the line:", () => {
  test.each(HAND_CHECKED.map((row) => [row.id, row] as const))("%s costs what was worked out on paper", async (id, row) => {
    const recording = answered.find((one) => one.id === id);
    if (!recording) throw new Error(`${id} is not among the recordings`);
    const rows = await rowsOf(recording, row.model);
    expect(rows).toHaveLength(1);
    expect(rows[0]).toMatchObject({ settlement: "exact", usageSource: "provider", provider: recording.provider });
    expect(rows[0]?.cost as bigint).toBe(row.cost);
  });

  test("every one leaves one row, with its own usage and the cost of that", async () => {
    let exact = 0;
    for (const recording of answered) {
      const model = recordedModel(recording);
      const rows = await rowsOf(recording, model);
      expect([recording.id, rows.length]).toEqual([recording.id, 1]);
      const row = rows[0] as LedgerRow;
      const usage = usageOrFailure(recording);
      if (usage === "failed") {
        expect(["ceiling", "counted"]).toContain(row.settlement);
        continue;
      }
      const price = house.ports.prices.price(recording.provider, model, house.ports.clock.now());
      if (usage === undefined) {
        expect([recording.id, row.usageSource]).toEqual([recording.id, "counted"]);
        continue;
      }
      const cost = costOf(usage, price)?.total;
      // A tier or tool without a price settles at the ceiling, as settlement says.
      const expected = settle(
        { ending: "complete", stream: recording.stream, reasons: undefined, usage, countInputTokens: () => 0, countOutputTokens: () => 0 },
        price,
        row.bound,
      );
      expect([recording.id, row.cost, row.settlement]).toEqual([recording.id, expected.cost, expected.settlement]);
      if (cost !== undefined) exact++;
      expect(row.usage).toMatchObject({ inputTokens: usage.inputTokens, outputTokens: usage.outputTokens });
    }
    // Most of them: the rest are answers that failed, or told no usage, or have no price.
    expect(exact).toBeGreaterThan(answered.length * 0.9);
  }, 60_000);
});

function recordedModel(recording: Recording): string {
  const { request } = recording;
  const asked = typeof request === "object" && request !== null && "model" in request ? request.model : undefined;
  const inPath = /\/models\/([^/:]+)/.exec(recording.path)?.[1];
  return typeof asked === "string" ? asked : (inPath ?? FALLBACK_MODEL[recording.provider] ?? "");
}
