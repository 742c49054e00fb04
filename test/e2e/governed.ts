// A house whose one endpoint costs round sums: $100 a million output tokens, so that 1,000 tokens are $0.10, and nothing for the input.
// Its provider answers with as many tokens as the request allows.
import type { Budget, Scope, Window } from "../../src/core/budget";
import type { ApiKey, KeyPolicy } from "../../src/core/exchange";
import type { KeyMode } from "../../src/core/ids";
import { type NanoUsd, parseUsd } from "../../src/core/money";
import type { Script } from "../upstream/script";
import { type RecordedRequest, startUpstream, type Upstream } from "../upstream/upstream";
import { connectionsTo, type HouseOptions, type RunningHouse, startHouse } from "./house";

export const MODEL = "byo:acme/round";
export const DIME = { model: MODEL, max_tokens: 1_000, messages: [{ role: "user", content: "Hello" }] };

export const usd = (text: string): NanoUsd => {
  const amount = parseUsd(text);
  if (amount === undefined) throw new Error(`${text} is no amount`);
  return amount;
};

export interface Governed {
  house: RunningHouse;
  upstream: Upstream;
  /** A key and its secret. */
  key(policy?: KeyPolicy, mode?: KeyMode): Promise<{ key: ApiKey; plain: string }>;
  /** A hard lifetime budget, unless `more` says otherwise. Its id. */
  budget(scope: Scope, limit: string, more?: Partial<Budget>): Promise<string>;
  close(): Promise<void>;
}

/** `script` changes what the provider answers to a request: undefined leaves it as it is. */
export async function startGoverned(
  options: HouseOptions & { script?: (request: RecordedRequest, usual: Script) => Script | undefined; names?: readonly string[] } = {},
): Promise<Governed> {
  const { script, names = ["byo:acme"], ...rest } = options;
  const upstream = await startUpstream({
    answer: (request) => {
      const usual = answerTo(request);
      return script?.(request, usual) ?? usual;
    },
  });
  const endpoints = connectionsTo(upstream.url, names).map((one) =>
    one.provider.startsWith("byo:") ? { ...one, price: { input: "0", output: "100" } } : one,
  );
  const house = await startHouse({ endpoints, ...rest });
  let made = 0;
  return {
    house,
    upstream,
    async key(policy = {}, mode = "live") {
      const { key, plain } = await house.ports.keys.create({ organizationId: "default", name: `key ${++made}`, mode, policy });
      return { key, plain: plain.reveal() };
    },
    async budget(scope, limit, more = {}) {
      const id = `bdg_${String(++made).padStart(12, "0")}`;
      const window: Window = { unit: "lifetime", rolling: false, zone: "UTC" };
      const shared = { id, organizationId: "default", scope, limit: usd(limit), window, hard: true, thresholds: [] };
      await house.ports.budgets.put({ ...shared, createdAt: house.ports.clock.now(), ...more });
      return id;
    },
    async close() {
      await house.close();
      await upstream.close();
    },
  };
}

/** Tokens that the provider says it made: what the request allows, or this many where it allows any. */
export const UNLIMITED_TOKENS = 200;

function answerTo(request: RecordedRequest): Script {
  const body = request.json() as { model: string; stream?: boolean; max_tokens?: number; max_completion_tokens?: number };
  const tokens = body.max_completion_tokens ?? body.max_tokens ?? UNLIMITED_TOKENS;
  return body.stream === true ? streamOf(body.model, tokens) : wholeOf(body.model, tokens);
}

const usageOf = (tokens: number) => ({ prompt_tokens: 10, completion_tokens: tokens, total_tokens: 10 + tokens });
const head = (model: string) => ({ id: "chatcmpl-round", created: 1_790_000_000, model });

export const wholeOf = (model: string, tokens: number): Script => ({
  status: 200,
  headers: { "content-type": "application/json" },
  body: JSON.stringify({
    ...head(model),
    object: "chat.completion",
    choices: [{ index: 0, message: { role: "assistant", content: "Hello!", refusal: null }, logprobs: null, finish_reason: "stop" }],
    usage: usageOf(tokens),
  }),
});

export function streamOf(model: string, tokens: number): Script {
  const chunk = (delta: object, finish: string | null) => ({
    ...head(model),
    object: "chat.completion.chunk",
    choices: [{ index: 0, delta, logprobs: null, finish_reason: finish }],
    usage: null,
  });
  const last = { ...head(model), object: "chat.completion.chunk", choices: [], usage: usageOf(tokens) };
  const frames = [chunk({ role: "assistant", content: "Hel" }, null), chunk({ content: "lo!" }, null), chunk({}, "stop"), last];
  return {
    status: 200,
    headers: { "content-type": "text/event-stream" },
    body: `${frames.map((frame) => `data: ${JSON.stringify(frame)}\n\n`).join("")}data: [DONE]\n\n`,
  };
}

export interface ErrorBody {
  error: { message: string; type: string; code: string; param: string | null; tollway: Record<string, unknown> };
}
