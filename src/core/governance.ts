// What the line needs beside budgets to govern calls: rates, runs of agents, calls that are live, and how long answers are.
import type { Failure } from "./failure";
import type { KeyMode } from "./ids";
import type { Run } from "./records";

export interface RateLimits {
  readonly requestsPerMinute?: number | undefined;
  readonly tokensPerMinute?: number | undefined;
  readonly concurrency?: number | undefined;
}

/** A scope's limits, by the name of its counters. */
export interface LimitedScope {
  readonly name: string;
  readonly limits: RateLimits;
}

export type RateKind = "requests" | "tokens" | "concurrency";

export interface RateRefusal {
  readonly scope: string;
  readonly kind: RateKind;
  readonly limit: number;
  /** Until a repeat may pass. */
  readonly retryAfterMs: number;
}

/** What `x-ratelimit-*` say of the tightest scope. Absent: no scope limits it. */
export interface RateStanding {
  readonly requests?: Standing | undefined;
  readonly tokens?: Standing | undefined;
}

export interface Standing {
  readonly limit: number;
  readonly remaining: number;
  /** Until the window is empty again. */
  readonly resetMs: number;
}

/** A place that was taken. It is given back exactly once, whatever becomes of the call. */
export interface Slot {
  /** The call is over: its place among the concurrent ones is free, and its tokens are what they were. undefined: not known. */
  release(tokens: number | undefined): void;
  /** The call was never made (a 402): it counts as if it had not come. */
  giveBack(): void;
}

/** Requests and tokens a minute and calls at once, per scope, in memory. */
export interface Rates {
  /** Takes a place in every scope, or in none. `tokens` is an estimate, corrected at the release. `now` is monotonic milliseconds. */
  take(scopes: readonly LimitedScope[], tokens: number, now: number): Slot | RateRefusal;
  /** What is left in the tightest of the scopes. */
  standing(scopes: readonly LimitedScope[], now: number): RateStanding;
  /** Calls of a scope that run at the moment. */
  running(name: string): number;
}

/** How long the answers of each model are, as far as this process has seen. */
export interface AnswerLengths {
  /** `cut`: a limit ended the answer, which would have been longer. */
  saw(provider: string, model: string, outputTokens: number, cut: boolean): void;
  /** Tokens that 99.9 % of the answers stay within. undefined: too few were seen. */
  long(provider: string, model: string): number | undefined;
  /** How many answers `long` stands on. */
  seen(provider: string, model: string): number;
}

/** A call that waits until held money comes free. */
export interface WaitingCall {
  readonly organizationId: string;
  /** The tightest of its budgets, by its id: who waits for the same one stands in the same line. */
  readonly line: string;
  /** Monotonic milliseconds of its arrival: who came first goes first. */
  readonly sinceMs: number;
  /** Whether there is enough for it now, or never will be. */
  ready(): boolean;
  /** Called at most once, when it has left the line. */
  come(): void;
}

/** The calls that wait for money which others hold. */
export interface Waiting {
  /** The result takes it out of its line again. undefined: too many wait. */
  join(call: WaitingCall): (() => void) | undefined;
  /** Whether a call has waited for the budget so long that nobody may overtake it any more. `now`: monotonic milliseconds. */
  blocked(line: string, now: number): boolean;
  /** Money of the organization may have come free: of each line one comes that is ready. It calls this again when it has held. */
  freed(organizationId: string, now: number): void;
}

/** A call that is being answered, and who may end it. */
export interface LiveCall {
  readonly organizationId: string;
  readonly keyId: string;
  readonly mode: KeyMode;
  readonly run?: string | undefined;
}

/** The calls that are being answered. */
export interface LiveCalls {
  /** `cut` is called at most once. The result takes the call out again. */
  enter(call: LiveCall, cut: (why: Failure) => void): () => void;
  /** Ends the calls that `chosen` picks, with the reason that their callers are told. The number of them. */
  cut(chosen: (call: LiveCall) => boolean, why: Failure): number;
}

/** A run with its counted steps: calls that were let through. */
export interface OpenRun {
  run: Run;
  steps: number;
}

/** Agents' runs. Each organization names its own, and test keys' runs are others than live keys'. */
export interface Runs {
  /**
   * The run of that name, counted against the ledger when this process sees it for the first time; made as `first` says where there
   * is none. Durable when it resolves. Rejects `storage_unavailable`.
   */
  open(first: Omit<Run, "id">): Promise<OpenRun>;
  /** The run of that name if this process has it open: nothing to wait for. */
  opened(organizationId: string, mode: KeyMode, name: string): OpenRun | undefined;
  find(organizationId: string, mode: KeyMode, name: string): Run | undefined;
  /** Newest first. */
  list(organizationId: string): readonly Run[];
  /** Effective at once, durable when it resolves. */
  change(run: Run): Promise<void>;
}
