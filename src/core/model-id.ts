// Model ids carry dates: "claude-haiku-4-5-20251001", "gpt-5-2025-08-07", "claude-sonnet-4@20250514".

const DATE_SUFFIX = /[-@](?:20\d{2}(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])|20\d{2}-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12]\d|3[01]))$/;

/** The id without its date; undefined where it has none. Short version numbers ("mistral-large-2512") are other models, not dates. */
export function undatedId(id: string): string | undefined {
  const base = id.replace(DATE_SUFFIX, "");
  return base === id || base === "" ? undefined : base;
}
