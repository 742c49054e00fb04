// The product's header names, made once for a brand: joined anew for each call they would be new strings, hashed and copied
// each time (measured: a quarter of what an answer's headers cost).
import { type Brand, brandHeader } from "../core/brand";
import { RUN_LIMITS } from "./run-limits";

/** Limits that a caller relies on: refused as long as they are not kept. */
export const BINDING_HINTS = ["region"] as const;
/** Wishes: named in the answer as ignored. */
const FREE_HINTS = ["mode", "intent", "latency-ms-max", "criticality"] as const;

export type BrandHeaders = ReturnType<typeof make>;

function make(brand: Brand) {
  const named = (name: string): string => brandHeader(brand, name);
  return {
    bindingHints: BINDING_HINTS.map(named),
    freeHints: FREE_HINTS.map(named),
    tag: named("tag"),
    agent: named("agent"),
    run: named("run"),
    user: named("user"),
    runBudgetUsd: named("run-budget-usd"),
    runMaxSteps: named("run-max-steps"),
    runMaxSeconds: named("run-max-seconds"),
    runParent: named("run-parent"),
    runLimits: RUN_LIMITS.map((name) => [name, named(name)] as const),
    requestId: named("request-id"),
    route: named("route"),
    source: named("source"),
    provider: named("provider"),
    modelRequested: named("model-requested"),
    modelServed: named("model-served"),
    fallback: named("fallback"),
    attempts: named("attempts"),
    ignored: named("ignored"),
    maxTokens: named("max-tokens"),
    costUsd: named("cost-usd"),
    savedUsd: named("saved-usd"),
  };
}

const MADE = new WeakMap<Brand, BrandHeaders>();

/** `x-<namespace>-…`, in lower case. */
export function brandHeaders(brand: Brand): BrandHeaders {
  const known = MADE.get(brand);
  if (known) return known;
  const made = make(brand);
  MADE.set(brand, made);
  return made;
}
