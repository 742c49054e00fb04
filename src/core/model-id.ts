// Model ids carry dates: "claude-haiku-4-5-20251001", "gpt-5-2025-08-07", "claude-sonnet-4@20250514".

const DATE_SUFFIX = /[-@](?:20\d{2}(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])|20\d{2}-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12]\d|3[01]))$/;

/** The id without its date; undefined where it has none. Short version numbers ("mistral-large-2512") are other models, not dates. */
export function undatedId(id: string): string | undefined {
  const base = id.replace(DATE_SUFFIX, "");
  return base === id || base === "" ? undefined : base;
}

/** An endpoint of the operator's, by its name and a model there: "byo:acme/llama-3" is "llama-3" at "byo:acme". */
const ENDPOINT_MODEL = /^(byo:[a-z0-9]+(?:-[a-z0-9]+)*)\/(.+)$/s;

/** What an id names that carries its endpoint's name: the only namespaced form of ids. undefined: it is an ordinary id. */
export function endpointModel(id: string): { endpoint: string; model: string } | undefined {
  const [, endpoint, model] = ENDPOINT_MODEL.exec(id) ?? [];
  return endpoint === undefined || model === undefined ? undefined : { endpoint, model };
}
