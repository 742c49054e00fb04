// plan: which targets, in which order, each with the most it can cost. What the request cannot mean anywhere is refused here,
// before money is held.
import type { Authenticated, Decision, Governed, Planned, Target } from "../core/exchange";
import { Failure, type FailureCode } from "../core/failure";
import { endpointModel } from "../core/model-id";
import type { Ports } from "../core/ports";
import type { ModelInfo, Price } from "../core/price";
import { baseUrlVariable } from "../core/settings";
import { mayUseModel } from "../policy/access";
import { type RouteFacts, type RouteRow, routeModel, routePinned } from "../policy/catalogue-route";
import { costOf } from "../policy/pricing";
import type { Provider } from "../providers/provider";
import { counter, PROVIDERS, providersNamed, simulator } from "../providers/registry";
import { connectedFor } from "./credential";
import type { Door } from "./door";
import { inputTokensOf } from "./input-count";
import { AUTO, notAllowed } from "./model-access";
import { dialectFor } from "./operation";
import { type Candidate, targetOf } from "./target";

/** Why a target is passed over as long as others remain. What one cannot honour, another may: only when none can is the caller told. */
const EXCLUDES: Partial<Record<FailureCode, string>> = {
  unsupported_parameter: "unsupported",
  model_not_priced: "unpriced",
  unbounded_request: "unbounded",
  model_not_allowed: "not allowed",
};

/**
 * Throws 404 `model_not_found`, 400 `unsupported_parameter`, 403 `model_not_allowed`, 503 `no_available_provider`; where hard budgets
 * count the call, 400 `model_not_priced` and `unbounded_request`.
 */
export function plan(governed: Governed, door: Door, ports: Ports): Planned {
  const only = readPin(governed.json);
  if (governed.request.model === AUTO && door.operation === "embeddings") {
    throw new Failure("invalid_value", "Vectors of different models cannot be compared: name a model instead of auto.", { param: "model" });
  }
  const candidates = governed.request.model === AUTO ? autoCandidates(governed, only, ports) : pinnedCandidates(governed, only, ports);
  const routed = governed.request.model === AUTO;
  const room = ports.budgets.room(governed.counted, governed.key.mode);
  const targets: Target[] = [];
  const excluded: Decision["excluded"][number][] = [];
  let refusal: Failure | undefined;
  for (const candidate of candidates) {
    if (targets.length >= ports.settings.limits.maxTargets) break;
    try {
      requireTarget(governed, candidate);
      targets.push(targetOf(governed, able(candidate, door), door, ports, room));
    } catch (thrown) {
      const why = thrown instanceof Failure ? EXCLUDES[thrown.code] : undefined;
      if (!(thrown instanceof Failure) || why === undefined) throw thrown;
      refusal ??= thrown;
      excluded.push({
        provider: candidate.provider.name,
        model: candidate.model,
        reason: `${why}: ${thrown.param ?? thrown.message}`,
      });
    }
  }
  if (targets.length === 0) throw refusal ?? new Failure("no_available_provider", "No connected provider has a model for this request.");
  const reason = routed ? "auto" : "asked for";
  return {
    ...governed,
    targets,
    routed,
    decision: { asked: governed.request.model, chosen: targets.map(({ provider, model }) => ({ provider, model, reason })), excluded },
    baseline: routed ? baselinePrice(governed, ports) : undefined,
  };
}

/** What was asked for passed already, under the name that the caller gave it. */
function requireTarget({ key, request }: Governed, { provider, model }: Candidate): void {
  if (model !== modelAt(provider, request.model) && !mayUseModel(key.policy.allowedModels, model)) throw notAllowed(key, model);
}

/** A count by a provider that cannot count is our own estimate: better than a refusal, and nothing is billed by it. */
const able = (candidate: Candidate, door: Door): Candidate =>
  door.operation === "count-tokens" && !dialectFor(candidate.provider, door) ? { ...candidate, provider: counter } : candidate;

/** A test key's calls go to the simulator, described and priced as the provider they would have gone to. */
const behind = (key: Authenticated["key"], provider: Provider, model: string): Candidate => ({
  provider: key.mode === "test" ? simulator : provider,
  model,
  catalogue: provider.name,
});

/** Providers and endpoints that this key's calls may go to. */
function reachable(governed: Governed, ports: Ports): readonly Provider[] {
  const connected = connectedFor(governed.key, ports).map((connection) => connection.provider);
  const every = governed.key.mode === "test" ? PROVIDERS.map((provider) => provider.name) : [];
  return providersNamed([...new Set([...every, ...connected])]);
}

/** The operator's own machines may be named as an endpoint is: their models have no catalogue to be found in. */
const routeOf = (provider: Provider): RouteRow => ({
  name: provider.name,
  aliases: provider.selfHosted ? [...provider.aliases, `byo:${provider.name}`] : provider.aliases,
  variable: provider.selfHosted ? baseUrlVariable(provider.name) : provider.keyVariable,
  families: provider.families,
});

const ROUTES: readonly RouteRow[] = PROVIDERS.map(routeOf);

/** Every provider, connected or not, and the connected endpoints. */
const routesOf = (open: readonly Provider[]): readonly RouteRow[] => [
  ...ROUTES,
  ...open.filter((provider) => !PROVIDERS.includes(provider)).map(routeOf),
];

function factsOf(governed: Governed, open: readonly Provider[], ports: Ports): RouteFacts {
  return {
    connected: (row) => open.some((provider) => provider.name === row.name),
    knows: (row, id) => ports.prices.model(row.name, id, governed.receivedAt) !== undefined,
    ids: (row) => ports.prices.models(row.name, governed.receivedAt).map((info) => info.id),
  };
}

function pinnedCandidates(governed: Governed, only: readonly string[] | undefined, ports: Ports): Candidate[] {
  const open = reachable(governed, ports);
  const { model } = governed.request;
  const names = routeModel({ model, only }, routesOf(open), factsOf(governed, open, ports));
  return names.flatMap((name) =>
    open.filter((provider) => provider.name === name).map((provider) => behind(governed.key, provider, modelAt(provider, model))),
  );
}

/** What the provider itself calls the model: an endpoint does not know the name that the operator gave it. */
function modelAt(provider: Provider, id: string): string {
  const named = endpointModel(id);
  return named && (named.endpoint === provider.name || named.endpoint === `byo:${provider.name}`) ? named.model : id;
}

/** Output tokens that a call is taken to have when models are compared before it is made. */
const EXPECTED_OUTPUT_TOKENS = 500;

/** The medium tier of each provider, the cheapest on this request's tokens first. Unpriced models are never chosen. */
function autoCandidates(governed: Governed, only: readonly string[] | undefined, ports: Ports): Candidate[] {
  const usage = { inputTokens: inputTokensOf(governed), outputTokens: EXPECTED_OUTPUT_TOKENS };
  const open = reachable(governed, ports);
  const names = only === undefined || only.length === 0 ? undefined : routePinned(only, routesOf(open), factsOf(governed, open, ports));
  const offered = open.filter((provider) => provider.autoModels.medium !== undefined);
  const allowed = offered.filter((provider) => mayUseModel(governed.key.policy.allowedModels, provider.autoModels.medium ?? ""));
  if (offered.length > 0 && allowed.length === 0) throw notAllowed(governed.key, AUTO);
  const able = allowed
    .filter((provider) => names === undefined || names.includes(provider.name))
    .flatMap((provider) => {
      const model = provider.autoModels.medium;
      const info = model === undefined ? undefined : ports.prices.model(provider.name, model, governed.receivedAt);
      const price = model === undefined ? undefined : ports.prices.price(provider.name, model, governed.receivedAt);
      const cost = price && costOf(usage, price)?.total;
      return model === undefined || cost === undefined || !info || !canServe(info, governed) ? [] : [{ provider, model, info, cost }];
    });
  if (able.length === 0) {
    throw new Failure("no_available_provider", "No connected provider has a model that auto could choose for this request.");
  }
  const ranked = able.filter(({ info }) => takesTemperature(info, governed));
  if (ranked.length === 0) {
    const says = "No connected model that auto could choose takes a temperature. Leave it out, or name a model.";
    throw new Failure("unsupported_parameter", says, { param: "temperature" });
  }
  ranked.sort((a, b) => (a.cost < b.cost ? -1 : a.cost > b.cost ? 1 : 0));
  return ranked.map(({ provider, model }) => behind(governed.key, provider, model));
}

/** 1 is what every model does anyway. */
const takesTemperature = (info: ModelInfo, { request }: Governed): boolean =>
  request.temperature === undefined || request.temperature === 1 || info.capabilities.includes("temperature");

/** Hard filters: what the model is known not to take is never sent to it. */
function canServe(info: ModelInfo, governed: Governed): boolean {
  const { messages, tools } = governed.request;
  const takes = (modality: string): boolean => info.inputModalities.includes(modality);
  for (const { parts } of messages) {
    if (parts.some((part) => part.type === "image") && !takes("image")) return false;
    if (parts.some((part) => part.type === "audio") && !takes("audio")) return false;
  }
  return tools === undefined || tools.length === 0 || info.capabilities.includes("tools");
}

/** The dearest connected model of the complex tier, by input + output rate: what `auto` saves against. */
function baselinePrice(governed: Governed, ports: Ports): Price | undefined {
  let dearest: Price | undefined;
  for (const provider of reachable(governed, ports)) {
    const model = provider.autoModels.complex;
    const price = model === undefined ? undefined : ports.prices.price(provider.name, model, governed.receivedAt);
    if (price && (!dearest || rateSum(price) > rateSum(dearest))) dearest = price;
  }
  return dearest;
}

const rateSum = (price: Price): bigint => price.rates.input + price.rates.output;

/** `provider: {only: [...]}` of OpenRouter's shape. Its other fields decide where data may go: refused until they are honoured. */
function readPin(json: Readonly<Record<string, unknown>>): readonly string[] | undefined {
  if (json["models"] !== undefined && json["models"] !== null) {
    throw new Failure("unsupported_parameter", "A list of fallback models is not supported yet.", { param: "models" });
  }
  const pin = json["provider"];
  if (pin === undefined || pin === null) return undefined;
  if (typeof pin !== "object" || Array.isArray(pin)) throw new Failure("invalid_type", "provider takes an object.", { param: "provider" });
  for (const [name, value] of Object.entries(pin)) {
    if (name === "allow_fallbacks" && typeof value === "boolean") continue;
    if (name !== "only")
      throw new Failure("unsupported_parameter", `provider.${name} is not supported yet.`, { param: `provider.${name}` });
    if (!Array.isArray(value) || !value.every((slug) => typeof slug === "string")) {
      throw new Failure("invalid_type", "provider.only takes a list of provider names.", { param: "provider.only" });
    }
  }
  return "only" in pin ? (pin.only as string[]) : undefined;
}
