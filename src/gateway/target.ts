// A target: a provider's model, the request as it will read it, and the most the call can cost there.
import type { ChatRequest } from "../core/chat";
import type { Governed, Need, Outgoing, Target } from "../core/exchange";
import { Failure } from "../core/failure";
import { ZERO_USD } from "../core/money";
import type { Ports } from "../core/ports";
import type { ModelInfo, Price } from "../core/price";
import type { Room } from "../core/reservations";
import type { DoorDialect, EncodeContext } from "../dialects/dialect";
import { type AnswerLimit, answerLimit } from "../policy/answer-limit";
import { type Bound, isOutputFree, type OpenBound, openBound } from "../policy/bound";
import type { Provider } from "../providers/provider";
import type { Door } from "./door";
import { inputTokensOf } from "./input-count";
import { dialectFor, isForwarded } from "./operation";

/** Where a model stands. A simulated call is described and priced as the real one. */
export interface Candidate {
  readonly provider: Provider;
  readonly model: string;
  /** Whose catalogue describes and prices it. */
  readonly catalogue: string;
}

/** Sent where a dialect demands a limit and neither the caller nor the catalogue names one. */
const FALLBACK_MAX_TOKENS = 4_096;

/**
 * `room`: what a bound may come to, where hard budgets count the call; undefined: none does. Throws 400 `unsupported_parameter`
 * where the target cannot honour what the request means, and with a room `model_not_priced` and `unbounded_request`.
 */
export function targetOf(governed: Governed, candidate: Candidate, door: Door, ports: Ports, room: Room | undefined): Target {
  const { provider, model, catalogue } = candidate;
  const info = ports.prices.model(catalogue, model, governed.receivedAt);
  const listed = ports.prices.price(catalogue, model, governed.receivedAt);
  // A count is no call that a fee is charged for.
  const price = door.operation === "count-tokens" && listed ? { ...listed, feesPerThousand: {} } : listed;
  const bounds = boundsAt(governed, candidate, door, info, price);
  const asked = governed.request.maxOutputTokens;
  const limits = room !== undefined && asked === undefined && door.operation === "chat" && price !== undefined && !isOutputFree(price);
  const chosen = limits ? limitFor(governed, provider, model, info, bounds, room, ports) : undefined;
  const tier = room === undefined ? undefined : tierFor(governed.request, provider, door);
  const outgoing = encode(governed, provider, model, info, door, { limit: chosen?.limit, tier }, ports);
  const bound = bounds.at(outgoing.maxOutputTokens);
  if (room !== undefined && !bound.ok) throw boundless(bound, provider, governed);
  return {
    provider: provider.name,
    model,
    tier: info?.tier,
    price,
    bound: bound.ok ? bound.bound : undefined,
    outgoing,
    injectedMaxTokens: asked === undefined ? outgoing.maxOutputTokens : undefined,
    need: chosen && room && needOf(chosen, bounds, room),
    reasons: reasonsOf(info),
  };
}

function needOf({ limit, enough }: AnswerLimit, bounds: OpenBound, room: Room): Need | undefined {
  const bound = bounds.at(enough);
  return bound.ok ? { budgetId: room.tightest, enough: bound.bound, pinched: limit < enough } : undefined;
}

/** Nothing is billed for a count. */
const FREE: OpenBound = { within: () => undefined, at: () => ({ ok: true, bound: ZERO_USD, inputTokens: 0, outputTokens: 0 }) };

function boundsAt(
  governed: Governed,
  { provider, model }: Candidate,
  door: Door,
  info: ModelInfo | undefined,
  price: Price | undefined,
): OpenBound {
  if (door.operation === "count-tokens") return FREE;
  const { request } = governed;
  const dialect = dialectFor(provider, door);
  const forwards = dialect !== undefined && isForwarded(request, provider, dialect, door);
  return openBound({
    // Hosted tools and the fast tier go out only where the provider speaks the caller's dialect.
    request: forwards
      ? request.rest["speed"] === "fast"
        ? { ...request, serviceTier: "fast" }
        : request
      : { ...request, hostedTools: undefined },
    body: governed.bytes,
    model,
    price,
    contextWindow: info?.contextWindow,
    modelMaxOutputTokens: info?.maxOutputTokens,
    windows: governed.door === "embeddings" ? request.messages.length : 1,
  });
}

/** The limit to put in where the caller gave none. undefined: there is no bound at any. */
function limitFor(
  governed: Governed,
  provider: Provider,
  model: string,
  info: ModelInfo | undefined,
  bounds: OpenBound,
  room: Room,
  ports: Ports,
): AnswerLimit | undefined {
  const window = info?.contextWindow;
  return answerLimit({
    fits: bounds.within(room.left),
    fitsUnheld: bounds.within(room.unheld),
    long: ports.lengths.long(provider.name, model),
    seen: ports.lengths.seen(provider.name, model),
    modelMax: info?.maxOutputTokens,
    windowLeft: window === undefined ? undefined : window - inputTokensOf(governed),
    reasons: reasonsOf(info),
    thinking: governed.request.reasoning?.budgetTokens,
  });
}

/** Why a hard budget cannot count the call there. */
function boundless(bound: Extract<Bound, { ok: false }>, provider: Provider, governed: Governed): Failure {
  const { model } = governed.request;
  const param = bound.param === undefined ? undefined : governed.nameOf(bound.param);
  if (bound.reason === "unpriced") {
    const what = param === undefined ? `The model ${JSON.stringify(model.slice(0, 128))}` : `This ${param}`;
    const says = `${what} has no price at ${provider.displayName}, and the key counts against a hard budget.`;
    return new Failure("model_not_priced", says, { param: param ?? "model" });
  }
  const says = `A hard budget counts this call, and ${param ?? "the request"} has no upper bound of its cost at ${provider.displayName}.`;
  return new Failure("unbounded_request", says, { param });
}

function encode(
  governed: Governed,
  provider: Provider,
  model: string,
  info: ModelInfo | undefined,
  door: Door,
  ours: Ours,
  ports: Ports,
): Outgoing {
  const dialect = dialectFor(provider, door);
  if (!dialect) {
    throw new Failure("unsupported_parameter", `${provider.displayName} does not serve ${door.operation} here.`, { param: "model" });
  }
  const context: EncodeContext = {
    model,
    defaultMaxOutputTokens: info?.maxOutputTokens ?? FALLBACK_MAX_TOKENS,
    unsupported: provider.unsupported,
    dropUnsupported: governed.key.dropParams,
    deviations: provider.deviations,
    extensionName: ports.settings.brand.namespace,
    routed: model !== governed.request.model,
    caller: door.dialect,
    reasons: reasonsOf(info),
    injectMaxOutputTokens: ours.limit,
    injectServiceTier: ours.tier,
  };
  const outgoing = isForwarded(governed.request, provider, dialect, door)
    ? forwarded(door.dialect.forwardRequest(governed.bytes, governed, context))
    : inCallersWords(governed, () => dialect.encodeRequest(limited(governed.request, ours), context));
  const { unheeded } = governed.hints;
  return { ...outgoing, ignored: [...new Set([...outgoing.ignored, ...unheeded])] };
}

/** What a hard budget puts in where the caller left it open. */
interface Ours {
  limit: number | undefined;
  tier: string | undefined;
}

/**
 * At OpenAI a call without a tier is served by the one that the project is set to, at up to twice the price that is held.
 * https://platform.openai.com/docs/api-reference/chat/create#chat-create-service_tier
 */
function tierFor({ serviceTier }: ChatRequest, provider: Provider, door: Door): string | undefined {
  if (provider.name !== "openai" || door.operation !== "chat") return undefined;
  return serviceTier === undefined || serviceTier === "auto" ? "default" : undefined;
}

/** Where the request is written anew, what is ours is written as the caller's would be. */
function limited(request: ChatRequest, { limit, tier }: Ours): ChatRequest {
  if (limit === undefined && tier === undefined) return request;
  return { ...request, maxOutputTokens: limit ?? request.maxOutputTokens, serviceTier: tier ?? request.serviceTier };
}

/** What has no place is told by the name that the caller gave it. */
function inCallersWords(governed: Governed, encode: () => Outgoing): Outgoing {
  try {
    const outgoing = encode();
    return { ...outgoing, ignored: outgoing.ignored.map(governed.nameOf) };
  } catch (thrown) {
    if (!(thrown instanceof Failure) || thrown.param === undefined) throw thrown;
    throw thrown.with({ param: governed.nameOf(thrown.param) });
  }
}

const reasonsOf = (info: ModelInfo | undefined): boolean | undefined => info?.capabilities.includes("reasoning");

const forwarded = ({ bytes, ...rest }: ReturnType<DoorDialect["forwardRequest"]>): Outgoing => ({ ...rest, body: bytes });
