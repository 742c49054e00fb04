// The most that one attempt can cost (reliability.md, Budgets 1): what a hard budget holds before anything is sent.
// It may be too high, never too low: input at the dearest rate that could apply, output at the limit that goes out.
import type { ChatRequest } from "../core/chat";
import { type NanoUsd, nanoUsd } from "../core/money";
import type { Price, Rates } from "../core/price";
import { tierInUs } from "../core/usage";
import { type InputCeiling, inputCeiling } from "./bound-input";
import { ceilDivide, dearestOutputRate, larger, REQUEST_FEE, ratesOfTier } from "./pricing";

export interface BoundAsk {
  request: ChatRequest;
  /** The caller's body, from which `request` was decoded. */
  body: Uint8Array;
  /** The target's model id. */
  model: string;
  price: Price | undefined;
  /** The model's context window and output limit, in tokens; undefined: not known. */
  contextWindow: number | undefined;
  modelMaxOutputTokens: number | undefined;
  /** How many windows the call can fill: each input of an embeddings request has its own. Absent: 1. */
  windows?: number | undefined;
  /** The output limit that goes out: the caller's, or the injected one. undefined: none. */
  maxOutputTokens: number | undefined;
}

export type Bound =
  | {
      ok: true;
      bound: NanoUsd;
      /** The tokens that the bound was made of. */
      inputTokens: number;
      /** All choices together. */
      outputTokens: number;
    }
  /** `param` is the request's field that has no bound. */
  | { ok: false; reason: "unpriced" | "unbounded"; param?: string | undefined };

/** Upper bound of the cost of one attempt. */
export const boundOf = (ask: BoundAsk): Bound => boundAt(shapeOf(ask), ask.maxOutputTokens);

/** A request that was read once, to be bound at a limit that is still to be chosen. */
export interface OpenBound {
  /** As `maxOutputWithin`. */
  within(available: NanoUsd): number | undefined;
  /** As `boundOf` with this limit; undefined: none goes out. */
  at(maxOutputTokens: number | undefined): Bound;
}

export function openBound(ask: Omit<BoundAsk, "maxOutputTokens">): OpenBound {
  const shape = shapeOf(ask);
  return { within: (available) => mostWithin(shape, available), at: (limit) => boundAt(shape, limit) };
}

/** Whether no answer of the model costs anything, however long it is. */
export const isOutputFree = (price: Price): boolean =>
  [price, ...Object.values(price.serviceTiers)].every((table) =>
    [table.rates, ...table.tiers.map((tier) => tier.rates)].every((rates) => dearestOutputRate(rates) === 0n),
  );

function boundAt(shape: Shape, maxOutputTokens: number | undefined): Bound {
  if (!shape.ok) return shape;
  // What costs nothing need not end.
  const free = shape.lines.every((line) => line.perOutputToken === 0n);
  const limit = smaller(maxOutputTokens, shape.ownLimit) ?? (free ? 0 : undefined);
  if (limit === undefined) return { ok: false, reason: "unbounded", param: "max_tokens" };
  const outputTokens = BigInt(limit) * shape.choices + shape.extraOutput;
  let millionths = 0n;
  for (const line of shape.lines) millionths = larger(millionths, line.fixed + outputTokens * line.perOutputToken);
  return {
    ok: true,
    bound: nanoUsd(ceilDivide(millionths, MILLION)),
    inputTokens: Number(shape.inputTokens),
    outputTokens: Number(outputTokens),
  };
}

/**
 * The largest output limit, at most the model's own, with which the call's bound is within `available`. 0: not even one token
 * fits. undefined: there is no bound at any limit, or nothing ends the answer.
 */
export const maxOutputWithin = (ask: BoundAsk, available: NanoUsd): number | undefined => mostWithin(shapeOf(ask), available);

function mostWithin(shape: Shape, available: NanoUsd): number | undefined {
  if (!shape.ok) return undefined;
  let most = shape.ownLimit === undefined ? undefined : BigInt(shape.ownLimit);
  for (const line of shape.lines) {
    const left = available * MILLION - line.fixed - shape.extraOutput * line.perOutputToken;
    if (left < 0n) return 0;
    if (line.perOutputToken === 0n) continue;
    const fits = left / (line.perOutputToken * shape.choices);
    if (most === undefined || fits < most) most = fits;
  }
  return most === undefined ? undefined : Number(most);
}

const MILLION = 1_000_000n;
const FEE_SCALE = MILLION / 1_000n;

/** A linear cost in millionths of a nano-USD: one for each table of rates that could apply. */
interface Line {
  fixed: bigint;
  perOutputToken: bigint;
}

type Shape =
  | {
      ok: true;
      lines: readonly Line[];
      inputTokens: bigint;
      choices: bigint;
      extraOutput: bigint;
      /** What ends an answer that nobody limits: the model's maximum, or its window. */
      ownLimit: number | undefined;
    }
  | { ok: false; reason: "unpriced" | "unbounded"; param?: string | undefined };

function shapeOf(ask: Omit<BoundAsk, "maxOutputTokens">): Shape {
  const { price, request } = ask;
  if (!price) return { ok: false, reason: "unpriced" };
  // Flex and priority calls may be served by the standard tier: both must fit.
  const asked = ratesOfTier(price, request.serviceTier);
  if (!asked) return { ok: false, reason: "unpriced", param: "service_tier" };
  const ceiling = inputCeiling(request, ask.body, ask.model, price.provider);
  const window = trustedWindow(ask, price);
  const input = inputTokensOf(ceiling, window);
  if (!input.ok) return input;
  const fees = feesOf(ceiling, price);
  if (fees === undefined) return { ok: false, reason: "unbounded", param: ceiling.hostedTools[0]?.param };
  const inputTokens = input.text + input.media;
  const lines: Line[] = [];
  const add = (rates: Rates): void => {
    const text = input.text * dearestTextRate(rates, ceiling.mayWrite1h);
    const media = input.media === 0n ? 0n : input.media * dearestInputRate(rates, ceiling.mayWrite1h);
    lines.push({ fixed: text + media + fees, perOutputToken: dearestOutputRate(rates) });
  };
  // Where the request does not say where it is answered, the workspace's default does, and that may be the dearer place.
  const us = request.rest["inference_geo"] === "global" ? undefined : price.serviceTiers[tierInUs(request.serviceTier)];
  for (const table of new Set([price, asked, us ?? price])) {
    add(table.rates);
    for (const tier of table.tiers) if (inputTokens > BigInt(tier.aboveInputTokens)) add(tier.rates);
  }
  return {
    ok: true,
    lines,
    inputTokens,
    choices: BigInt(request.choices ?? 1),
    extraOutput: BigInt(ceiling.extraOutputTokens),
    ownLimit: ask.modelMaxOutputTokens ?? window,
  };
}

/** The smaller of those that are known. */
const smaller = (a: number | undefined, b: number | undefined): number | undefined =>
  a === undefined || b === undefined ? (a ?? b) : Math.min(a, b);

/** A window that lies within the price's own long-context tiers is out of date: the model takes more. */
function trustedWindow(ask: Pick<BoundAsk, "contextWindow" | "windows">, price: Price): number | undefined {
  const { contextWindow } = ask;
  const trusted = contextWindow !== undefined && price.tiers.every((tier) => contextWindow > tier.aboveInputTokens);
  return trusted ? contextWindow * (ask.windows ?? 1) : undefined;
}

type InputTokens = { ok: true; text: bigint; media: bigint } | { ok: false; reason: "unbounded"; param: string };

/**
 * What the request can cost in input tokens: at most the window a turn, and a hosted tool makes one more turn with each call.
 * Without a known window, only what can be counted has a bound.
 */
function inputTokensOf(ceiling: InputCeiling, window: number | undefined): InputTokens {
  const uncapped = ceiling.hostedTools.find((tool) => tool.fee === undefined || tool.maxCalls === undefined);
  if (uncapped) return { ok: false, reason: "unbounded", param: uncapped.param };
  const outside = ceiling.windowParam ?? ceiling.hostedTools[0]?.param;
  if (outside !== undefined) {
    if (window === undefined) return { ok: false, reason: "unbounded", param: outside };
    const turns = ceiling.hostedTools.reduce((sum, tool) => sum + (tool.maxCalls ?? 0), 1);
    // As media: what is elsewhere may be audio, at the dearest rate.
    return { ok: true, text: 0n, media: BigInt(window) * BigInt(turns) };
  }
  if (window === undefined) return { ok: true, text: BigInt(ceiling.textTokens), media: BigInt(ceiling.mediaTokens) };
  const media = Math.min(ceiling.mediaTokens, window);
  return { ok: true, text: BigInt(Math.min(ceiling.textTokens, window - media)), media: BigInt(media) };
}

/** In millionths of a nano-USD. undefined: a hosted tool's fee is not in the price. */
function feesOf(ceiling: InputCeiling, price: Price): bigint | undefined {
  let sum = (price.feesPerThousand[REQUEST_FEE] ?? 0n) * FEE_SCALE;
  for (const { fee, maxCalls } of ceiling.hostedTools) {
    const rate = fee !== undefined && Object.hasOwn(price.feesPerThousand, fee) ? price.feesPerThousand[fee] : undefined;
    if (rate === undefined) return undefined;
    sum += BigInt(maxCalls ?? 0) * rate * FEE_SCALE;
  }
  return sum;
}

/** A read costs less than the input almost everywhere, but nothing says that it must. */
function dearestTextRate(rates: Rates, mayWrite1h: boolean): bigint {
  const write = rates.cacheWrite ?? rates.input;
  const written = mayWrite1h ? larger(write, rates.cacheWrite1h ?? write) : write;
  return larger(written, larger(rates.input, rates.cacheRead ?? rates.input));
}

const dearestInputRate = (rates: Rates, mayWrite1h: boolean): bigint =>
  larger(dearestTextRate(rates, mayWrite1h), larger(rates.inputAudio ?? 0n, rates.cacheReadAudio ?? 0n));
