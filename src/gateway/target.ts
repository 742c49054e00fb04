// A target: a provider's model, the request as it will read it, and the most the call can cost there.
import type { Governed, Outgoing, Target } from "../core/exchange";
import { Failure } from "../core/failure";
import type { Ports } from "../core/ports";
import type { ModelInfo, Price } from "../core/price";
import type { DoorDialect, EncodeContext } from "../dialects/dialect";
import { boundOf } from "../policy/bound";
import type { Provider } from "../providers/provider";
import type { Door } from "./door";
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

/** Throws 400 `unsupported_parameter` where the target cannot honour what the request means. */
export function targetOf(governed: Governed, candidate: Candidate, door: Door, ports: Ports): Target {
  const { provider, model, catalogue } = candidate;
  const info = ports.prices.model(catalogue, model, governed.receivedAt);
  const price = ports.prices.price(catalogue, model, governed.receivedAt);
  const outgoing = encode(governed, provider, model, info, door, ports);
  const asked = governed.request.maxOutputTokens;
  return {
    provider: provider.name,
    model,
    tier: info?.tier,
    price,
    bound: boundAt(governed, model, info, price, outgoing, dialectFor(provider, door)?.name === door.dialect.name),
    outgoing,
    injectedMaxTokens: asked === undefined ? outgoing.maxOutputTokens : undefined,
    reasons: reasonsOf(info),
  };
}

function encode(governed: Governed, provider: Provider, model: string, info: ModelInfo | undefined, door: Door, ports: Ports): Outgoing {
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
  };
  const outgoing = isForwarded(governed.request, provider, dialect, door)
    ? forwarded(door.dialect.forwardRequest(governed.bytes, governed, context))
    : inCallersWords(governed, () => dialect.encodeRequest(governed.request, context));
  const { unheeded } = governed.hints;
  return unheeded.length === 0 ? outgoing : { ...outgoing, ignored: [...outgoing.ignored, ...unheeded] };
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

/** undefined: the call has no upper bound there, which only keys without a budget may make. */
function boundAt(
  governed: Governed,
  model: string,
  info: ModelInfo | undefined,
  price: Price | undefined,
  outgoing: Outgoing,
  forwards: boolean,
): Target["bound"] {
  const { request } = governed;
  const bound = boundOf({
    // Hosted tools go out only where the provider speaks the caller's dialect.
    request: forwards || !request.hostedTools ? request : { ...request, hostedTools: undefined },
    body: governed.bytes,
    model,
    price,
    contextWindow: info?.contextWindow,
    modelMaxOutputTokens: info?.maxOutputTokens,
    windows: governed.door === "embeddings" ? request.messages.length : 1,
    maxOutputTokens: outgoing.maxOutputTokens,
  });
  return bound.ok ? bound.bound : undefined;
}
