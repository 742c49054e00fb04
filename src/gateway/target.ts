// A target: a provider's model, the request as it will read it, and the most the call can cost there.
import type { Governed, Outgoing, Target } from "../core/exchange";
import type { Ports } from "../core/ports";
import type { ModelInfo, Price } from "../core/price";
import type { DoorDialect, EncodeContext } from "../dialects/dialect";
import { boundOf } from "../policy/bound";
import type { Provider } from "../providers/provider";

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
export function targetOf(governed: Governed, candidate: Candidate, door: DoorDialect, ports: Ports): Target {
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
    bound: boundAt(governed, model, info, price, outgoing),
    outgoing,
    injectedMaxTokens: asked === undefined ? outgoing.maxOutputTokens : undefined,
    reasons: info?.capabilities.includes("reasoning"),
  };
}

function encode(
  governed: Governed,
  provider: Provider,
  model: string,
  info: ModelInfo | undefined,
  door: DoorDialect,
  ports: Ports,
): Outgoing {
  const { dialect } = provider.operations.chat;
  const context: EncodeContext = {
    model,
    defaultMaxOutputTokens: info?.maxOutputTokens ?? FALLBACK_MAX_TOKENS,
    unsupported: provider.unsupported,
    dropUnsupported: governed.key.dropParams,
    deviations: provider.deviations,
    extensionName: ports.settings.brand.namespace,
    routed: model !== governed.request.model,
  };
  const outgoing =
    dialect.name === door.name
      ? forwarded(door.forwardRequest(governed.bytes, { request: governed.request, includeUsage: governed.includeUsage }, context))
      : dialect.encodeRequest(governed.request, context);
  const { unheeded } = governed.hints;
  return unheeded.length === 0 ? outgoing : { ...outgoing, ignored: [...outgoing.ignored, ...unheeded] };
}

const forwarded = ({ bytes, ...rest }: ReturnType<DoorDialect["forwardRequest"]>): Outgoing => ({ ...rest, body: bytes });

/** undefined: the call has no upper bound there, which only keys without a budget may make. */
function boundAt(
  governed: Governed,
  model: string,
  info: ModelInfo | undefined,
  price: Price | undefined,
  outgoing: Outgoing,
): Target["bound"] {
  const bound = boundOf({
    request: governed.request,
    body: governed.bytes,
    model,
    price,
    contextWindow: info?.contextWindow,
    modelMaxOutputTokens: info?.maxOutputTokens,
    maxOutputTokens: outgoing.maxOutputTokens,
  });
  return bound.ok ? bound.bound : undefined;
}
