// What a call takes up while it lasts: a place in its scopes' minutes, a place among the calls at once, a step of its run. Taken here,
// given back exactly once, on whatever exit.
import type { Claim, Governed } from "../core/exchange";
import { Failure } from "../core/failure";
import type { LimitedScope, OpenRun, RateLimits, RateRefusal, RateStanding, Slot } from "../core/governance";
import type { Ports } from "../core/ports";
import { namedScopes, scopeName } from "../policy/budget-book";
import { isRefusal, rateName, tightest } from "../policy/rate-limit";
import type { DirectoryView } from "./directory-view";
import { inputTokensOf } from "./input-count";
import { stepOfRun } from "./run";

/** Throws 429 `rate_limit_exceeded`, and what `stepOfRun` throws. `unheeded`: what the caller said of its run and is not heeded. */
export async function claimFor(
  governed: Governed,
  view: DirectoryView,
  ports: Ports,
): Promise<{ claim: Claim | undefined; unheeded: readonly string[] }> {
  const scopes = limitedScopes(governed, view);
  const slot = scopes.length === 0 ? undefined : take(governed, scopes, ports);
  const { run: name, runLimits } = governed.hints;
  if (name === undefined && runLimits === undefined)
    return { claim: slot && new CallClaim(slot.slot, undefined, slot.headers), unheeded: [] };
  try {
    const { run, unheeded } = await stepOfRun(governed, ports);
    return { claim: new CallClaim(slot?.slot, run, slot?.headers ?? {}), unheeded };
  } catch (thrown) {
    slot?.slot.giveBack();
    throw thrown;
  }
}

interface ShownScope extends LimitedScope {
  /** As operators write it: "key:key_0a1b…", "user:alice". */
  readonly shown: string;
}

function limitedScopes({ key, counted }: Governed, view: DirectoryView): ShownScope[] {
  const { requestsPerMinute, tokensPerMinute, concurrency } = key.policy;
  const own: RateLimits | undefined =
    requestsPerMinute === undefined && tokensPerMinute === undefined && concurrency === undefined
      ? undefined
      : { requestsPerMinute, tokensPerMinute, concurrency };
  if (own === undefined && view.limits.size === 0) return [];
  const scopes: ShownScope[] = [];
  for (const { kind, id } of namedScopes(counted)) {
    const name = scopeName(kind, id, counted.organizationId);
    const set = view.limits.get(name);
    const limits = kind === "key" && own ? tightest(set, own) : set;
    if (limits) scopes.push({ name: rateName(name, key.mode), limits, shown: `${kind}:${id}` });
  }
  return scopes;
}

function take(governed: Governed, scopes: readonly ShownScope[], ports: Ports): { slot: Slot; headers: Readonly<Record<string, string>> } {
  const now = ports.clock.elapsedMs();
  const taken = ports.rates.take(scopes, expectedTokens(governed, scopes), now);
  const headers = standingHeaders(ports.rates.standing(scopes, now));
  if (isRefusal(taken)) throw refusalOf(taken, scopes, headers);
  return { slot: taken, headers };
}

/** As OpenAI counts it: the input by an estimate, and the limit of the answer where the caller gave one. Corrected when the call is over. */
function expectedTokens(governed: Governed, scopes: readonly ShownScope[]): number {
  if (scopes.every(({ limits }) => limits.tokensPerMinute === undefined)) return 0;
  const { maxOutputTokens = 0, choices = 1 } = governed.request;
  return inputTokensOf(governed) + maxOutputTokens * choices;
}

const UNITS: Readonly<Record<RateRefusal["kind"], string>> = {
  requests: "requests a minute",
  tokens: "tokens a minute",
  concurrency: "calls at once",
};

function refusalOf(refusal: RateRefusal, scopes: readonly ShownScope[], headers: Readonly<Record<string, string>>): Failure {
  const scope = scopes.find(({ name }) => name === refusal.scope)?.shown ?? refusal.scope;
  const { kind, limit, retryAfterMs } = refusal;
  return new Failure("rate_limit_exceeded", `The limit of ${limit} ${UNITS[kind]} of ${scope} is reached.`, {
    retryAfterMs,
    headers,
    facts: { scope, kind, limit, retry_after_ms: Math.ceil(retryAfterMs) },
  });
}

function standingHeaders(standing: RateStanding): Readonly<Record<string, string>> {
  const headers: Record<string, string> = {};
  for (const kind of ["requests", "tokens"] as const) {
    const of = standing[kind];
    if (!of) continue;
    headers[`x-ratelimit-limit-${kind}`] = String(of.limit);
    headers[`x-ratelimit-remaining-${kind}`] = String(of.remaining);
    headers[`x-ratelimit-reset-${kind}`] = `${Math.ceil(of.resetMs / 1000)}s`;
  }
  return headers;
}

class CallClaim implements Claim {
  readonly headers: Readonly<Record<string, string>>;
  readonly #slot: Slot | undefined;
  readonly #run: OpenRun | undefined;
  #attempts = 0;
  /** undefined: an attempt was made of which nobody knows. */
  #tokens: number | undefined = 0;
  #ended = false;

  constructor(slot: Slot | undefined, run: OpenRun | undefined, headers: Readonly<Record<string, string>>) {
    this.#slot = slot;
    this.#run = run;
    this.headers = headers;
  }

  used(tokens: number | undefined): void {
    this.#attempts++;
    this.#tokens = tokens === undefined || this.#tokens === undefined ? undefined : this.#tokens + tokens;
  }

  end(unmade: boolean): void {
    if (this.#ended) return;
    this.#ended = true;
    if (unmade) this.#slot?.giveBack();
    else this.#slot?.release(this.#tokens);
    // Nothing was asked of a provider: no step.
    if (this.#run && this.#attempts === 0) this.#run.steps--;
  }
}
