// What the writers of answers need: the name to show, and the stamp of cost and facts that rides in the answer.
import type { Attempt, Planned } from "../core/exchange";
import { type NanoUsd, subUsd, usdNumber, ZERO_USD } from "../core/money";
import type { Ports } from "../core/ports";
import type { Usage } from "../core/usage";
import type { AnswerContext } from "../dialects/dialect";
import { withMarkup } from "../policy/credit";
import { costOf } from "../policy/pricing";
import type { Settled } from "../policy/settlement";

/** `model` is the id that was asked for, fallback or not; `auto` shows what it was routed to. */
const shownModel = (planned: Planned, attempt: Attempt): string => (planned.routed ? attempt.target.model : planned.request.model);

/** `settled` is asked once, with the provider's usage, when the answer is known whole. */
export function answerContext(
  planned: Planned,
  attempt: Attempt,
  ports: Ports,
  settled: (usage: Usage | undefined) => Settled,
): AnswerContext {
  return {
    model: shownModel(planned, attempt),
    extensionName: ports.settings.brand.namespace,
    requestId: planned.requestId,
    request: planned.request,
    asked: planned.json,
    keepItem: (id, item) => ports.items.keep(planned.key.id, id, item),
    createdAt: Math.floor(planned.receivedAt / 1000),
    nowSeconds: () => Math.floor(ports.clock.now() / 1000),
    includeUsage: planned.includeUsage,
    stamp(usage) {
      const { cost, usage: known, usageSource } = settled(usage);
      return {
        costUsd: cost,
        extension: planned.key.responseMetadata === "inline" ? extensionOf(planned, attempt, cost, usageSource, known) : undefined,
        countedUsage: usageSource === "counted" ? known : undefined,
      };
    },
  };
}

/** What the baseline model would have cost on the same tokens, minus the cost. Calls pinned by the caller save nothing. */
export function savedUsd(planned: Planned, cost: NanoUsd | undefined, usage: Usage | undefined): NanoUsd | undefined {
  if (!planned.baseline) return ZERO_USD;
  const baseline = usage && costOf({ ...usage, reportedCost: undefined, serviceTier: undefined }, planned.baseline)?.total;
  return baseline === undefined || cost === undefined ? undefined : subUsd(baseline, cost);
}

/** What the prepaid balance is charged, where there is one: the cost with its markup. */
const charged = ({ account }: Planned, cost: NanoUsd | undefined): Record<string, unknown> =>
  account === undefined || cost === undefined ? {} : { charged_credits: usdNumber(withMarkup(cost, account.markupBasisPoints)) };

function extensionOf(
  planned: Planned,
  attempt: Attempt,
  cost: NanoUsd | undefined,
  usageSource: string,
  usage: Usage | undefined,
): Record<string, unknown> {
  const saved = savedUsd(planned, cost, usage);
  return {
    request_id: planned.requestId,
    routed_model: attempt.target.model,
    provider: attempt.target.provider,
    tier: attempt.target.tier,
    cost_usd: cost === undefined ? null : usdNumber(cost),
    ...charged(planned, cost),
    saved_usd: saved === undefined ? null : usdNumber(saved),
    attempts: attempt.number,
    fallback: attempt.target !== planned.targets[0],
    ignored: attempt.target.outgoing.ignored,
    ...(usageSource === "counted" ? { usage_source: "counted" } : {}),
    ...(planned.key.mode === "test" ? { test: true } : {}),
  };
}
