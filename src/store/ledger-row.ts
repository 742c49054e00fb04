// Rows of the database as the core's words. NULL is *not told*, which is undefined and never 0.
import type { AttemptRecord } from "../core/attempt";
import type { LedgerRow } from "../core/ports";
import type { Usage } from "../core/usage";
import type { holds, ledger } from "./schema";

type LedgerRecord = typeof ledger.$inferSelect;
type HoldRecord = typeof holds.$inferSelect;

const told = <T>(value: T | null): T | undefined => value ?? undefined;

/** What identifies the attempt, from either table. */
export const attemptOf = (row: Omit<HoldRecord, "epoch">): AttemptRecord => ({
  attemptId: row.attemptId,
  requestId: row.requestId,
  attemptNumber: row.attemptNumber,
  heldAt: row.heldAt,
  organizationId: row.organizationId,
  keyId: row.keyId,
  teamId: told(row.teamId),
  projectId: told(row.projectId),
  mode: row.mode,
  door: row.door,
  provider: row.provider,
  modelRequested: row.modelRequested,
  modelServed: row.modelServed,
  stream: row.stream,
  tag: told(row.tag),
  agent: told(row.agent),
  run: told(row.run),
  user: told(row.user),
  tier: told(row.tier),
  intent: told(row.intent),
  priceVersion: told(row.priceVersion),
  bound: told(row.bound),
  decision: told(row.decision),
});

/** undefined where nothing at all is known of what was consumed. */
function usageOf(row: LedgerRecord): Usage | undefined {
  const usage: Usage = {
    inputTokens: told(row.inputTokens),
    outputTokens: told(row.outputTokens),
    cacheReadInputTokens: told(row.cacheReadInputTokens),
    cacheCreationInputTokens: told(row.cacheCreationInputTokens),
    cacheCreation1hInputTokens: told(row.cacheCreation1hInputTokens),
    reasoningOutputTokens: told(row.reasoningOutputTokens),
    inputAudioTokens: told(row.inputAudioTokens),
    outputAudioTokens: told(row.outputAudioTokens),
    outputImageTokens: told(row.outputImageTokens),
    cacheReadAudioTokens: told(row.cacheReadAudioTokens),
    toolCalls: told(row.toolCalls),
    serviceTier: told(row.serviceTier),
    reportedCost: told(row.reportedCost),
  };
  if (row.usageSource === "none" && Object.values(usage).every((value) => value === undefined)) return undefined;
  return usage;
}

export const ledgerRowOf = (row: LedgerRecord): LedgerRow => ({
  ...attemptOf(row),
  id: row.id,
  settledAt: row.settledAt,
  settlement: row.settlement,
  usage: usageOf(row),
  usageSource: row.usageSource,
  cost: told(row.cost),
  upstreamStatus: told(row.upstreamStatus),
  errorCode: told(row.errorCode),
  finishReason: told(row.finishReason),
  latencyMs: row.latencyMs,
  timeToFirstChunkMs: told(row.timeToFirstChunkMs),
  flags: row.flags,
});
