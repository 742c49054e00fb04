// What a key governs, as administrators write it.
import type { ApiKey, KeyPolicy } from "../core/exchange";
import type { Ports } from "../core/ports";
import { globFault, matchesGlob, parseRange } from "../policy/access";
import type { Fields } from "./fields";
import { RATES, ratesDocument, readRates } from "./limits";
import { readNamed } from "./place";

/** The models there are, as far as anybody knows. */
export interface KnownModels {
  /** Slugs of the providers whose catalogues are looked in. */
  readonly providers: readonly string[];
  /** Whether a model of this id, or of this beginning, finds its provider though no catalogue lists it. */
  isOfFamily(id: string): boolean;
}

/** Fields of a key that may change. */
export const KEY_TERMS = [
  "name",
  "expires_at",
  "project",
  "role",
  "allowed_models",
  ...RATES,
  "pii_mode",
  "metadata",
  "allowed_ips",
  "agent",
  "drop_params",
  "response_metadata",
] as const;

const GLOBS_MAX = 200;
const RANGES_MAX = 200;
const PAIRS_MAX = 16;
const PAIR_NAME_MAX = 64;
const PAIR_VALUE_MAX = 512;
const LATER_PII_MODES = ["detect", "redact", "mask", "block"];
/** Asked for by its own name, whatever is routed to. */
const AUTO = "auto";

/** What the fields say of the policy; what they leave out stays as `before` has it, null takes it away. */
export function readPolicy(fields: Fields, before: KeyPolicy, organizationId: string, models: KnownModels, ports: Ports): KeyPolicy {
  refuseLaterPii(fields);
  return {
    projectId: fields.has("project") ? readNamed("project", fields, organizationId, ports) : before.projectId,
    role: fields.choice("role", ["call", "read"]) ?? before.role,
    allowedModels: fields.has("allowed_models") ? readGlobs(fields, organizationId, models, ports) : before.allowedModels,
    ...readRates(fields, before),
    metadata: fields.has("metadata") ? readMetadata(fields) : before.metadata,
    allowedIps: fields.has("allowed_ips") ? readRanges(fields) : before.allowedIps,
    agent: fields.has("agent") ? fields.tag("agent") : before.agent,
  };
}

export const readResponseMetadata = (fields: Fields): ApiKey["responseMetadata"] | undefined =>
  fields.choice("response_metadata", ["inline", "headers", "off"]);

/** Nothing is scanned yet: a key must not say that it is. */
function refuseLaterPii(fields: Fields): void {
  const mode = fields.value("pii_mode");
  if (LATER_PII_MODES.includes(String(mode))) {
    fields.fail(
      "pii_mode",
      `cannot be ${JSON.stringify(mode)} yet: nothing is scanned, and it takes "off" alone.`,
      "unsupported_parameter",
    );
  }
  fields.choice("pii_mode", ["off"]);
}

/**
 * Globs of model ids. Each must match a model that some catalogue lists, or begin like a family of models, so that one may be named
 * before it is released; anything else is a slip that would lock its key.
 */
function readGlobs(fields: Fields, organizationId: string, models: KnownModels, ports: Ports): readonly string[] | undefined {
  const globs = fields.texts("allowed_models", GLOBS_MAX);
  if (globs?.length === 0) return fields.fail("allowed_models", "is empty, so the key could call nothing. null allows every model.");
  const known = globs === undefined ? [] : knownIds(organizationId, models, ports);
  globs?.forEach((glob, i) => {
    const fault = globFault(glob);
    if (fault !== undefined) fields.fail(`allowed_models[${i}]`, `${fault}.`);
    const beginning = glob.split("*", 1)[0] ?? "";
    if (known.some((id) => matchesGlob(glob, id)) || models.isOfFamily(beginning) || isOfEndpoint(beginning, organizationId, ports)) return;
    fields.fail(`allowed_models[${i}]`, `matches no model: ${JSON.stringify(glob)}. GET /v1/models lists them.`);
  });
  return globs;
}

function knownIds(organizationId: string, models: KnownModels, ports: Ports): readonly string[] {
  const now = ports.clock.now();
  const connections = ports.connections.connected(organizationId);
  const providers = new Set([...models.providers, ...connections.map(({ provider }) => provider)]);
  const listed = [...providers].flatMap((provider) => ports.prices.models(provider, now).map(({ id }) => id));
  return [AUTO, ...listed, ...connections.flatMap((connection) => connection.models ?? [])];
}

/** An endpoint of the operator's, whose models nobody lists: "byo:acme/". */
const isOfEndpoint = (beginning: string, organizationId: string, ports: Ports): boolean =>
  ports.connections
    .connected(organizationId)
    .some(({ provider }) => [provider, `byo:${provider}`].some((name) => name.startsWith("byo:") && beginning.startsWith(`${name}/`)));

function readRanges(fields: Fields): readonly string[] | undefined {
  const ranges = fields.texts("allowed_ips", RANGES_MAX);
  if (ranges?.length === 0) return fields.fail("allowed_ips", "is empty, so nobody could use the key. null allows every address.");
  ranges?.forEach((range, i) => {
    if (!parseRange(range)) fields.fail(`allowed_ips[${i}]`, 'takes an address or a range, such as "203.0.113.7" or "10.0.0.0/8".');
  });
  return ranges;
}

function readMetadata(fields: Fields): Readonly<Record<string, string>> | undefined {
  const value = fields.value("metadata");
  if (value === null) return undefined;
  if (typeof value !== "object" || Array.isArray(value)) return fields.fail("metadata", "takes an object of strings.", "invalid_type");
  const pairs = Object.entries(value as Record<string, unknown>);
  if (pairs.length > PAIRS_MAX) return fields.fail("metadata", `takes at most ${PAIRS_MAX} entries.`);
  for (const [name, text] of pairs) {
    if (name === "" || name.length > PAIR_NAME_MAX || /\p{Cc}/u.test(name))
      return fields.fail("metadata", `takes names of 1 to ${PAIR_NAME_MAX} characters.`);
    if (typeof text !== "string") return fields.fail(`metadata.${name}`, "takes a string.", "invalid_type");
    if (text.length > PAIR_VALUE_MAX) return fields.fail(`metadata.${name}`, `takes at most ${PAIR_VALUE_MAX} characters.`);
    if (/\p{Cc}/u.test(text)) return fields.fail(`metadata.${name}`, "takes no control characters.");
  }
  // fromEntries makes own properties: a "__proto__" is a name like any other.
  return Object.fromEntries(pairs) as Record<string, string>;
}

/** The policy as documents show it. */
export const policyDocument = (policy: KeyPolicy) => ({
  project: policy.projectId ?? null,
  role: policy.role ?? ("call" as const),
  allowed_models: policy.allowedModels ?? null,
  ...ratesDocument(policy),
  pii_mode: "off" as const,
  metadata: policy.metadata ?? {},
  allowed_ips: policy.allowedIps ?? null,
  agent: policy.agent ?? null,
});
