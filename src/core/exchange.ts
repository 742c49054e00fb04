// One exchange from door to door. It is read-only and gains fields at each step; a step out of order does not compile.

import type { AttemptRecord, Counted } from "./attempt";
import type { ChatRequest } from "./chat";
import type { KeyMode } from "./ids";
import type { NanoUsd } from "./money";
import type { Price, Tier } from "./price";
import type { CreditAccount } from "./records";
import type { Secret } from "./secret";
import type { Connection } from "./settings";

export type DoorName = "chat" | "responses" | "messages" | "count-tokens" | "embeddings";

/** A request at the door: named and timed, nothing read. */
export interface Arrived {
  readonly door: DoorName;
  /** UUIDv7, also the caller's x-request-id. */
  readonly requestId: string;
  /** Unix milliseconds. */
  readonly receivedAt: number;
  /** Monotonic milliseconds at arrival. */
  readonly startedMs: number;
}

/** What the request's head says. Its body is not read yet, and nothing is trusted. */
export interface Accepted extends Arrived {
  readonly presentedKey: Secret;
  readonly hints: Hints;
  /** Headers that belong to the caller's dialect (versions, betas), by lower-case name. */
  readonly dialectHeaders: Readonly<Record<string, string>>;
}

/** What headers (or the body's extension object) say beside the request. Validated. */
export interface Hints {
  readonly tag?: string | undefined;
  readonly agent?: string | undefined;
  readonly run?: string | undefined;
  readonly user?: string | undefined;
  readonly clientRequestId?: string | undefined;
  /** What the caller says of its run's limits. */
  readonly runLimits?: RunLimits | undefined;
  /** Headers that nothing here heeds: named to the caller. */
  readonly unheeded: readonly string[];
}

/** Limits that a call states for its run: the first call fixes them, later ones may lower them. */
export interface RunLimits {
  readonly maxUsd?: NanoUsd | undefined;
  readonly maxSteps?: number | undefined;
  readonly maxSeconds?: number | undefined;
  /** The name of the run that started this one. */
  readonly parent?: string | undefined;
}

/** A key as the store knows it. Its secret is only ever a keyed hash. */
export interface ApiKey {
  /** `key_` + 12 public characters. */
  readonly id: string;
  readonly organizationId: string;
  readonly name: string;
  readonly mode: KeyMode;
  readonly createdAt: number;
  readonly expiresAt?: number | undefined;
  readonly revokedAt?: number | undefined;
  readonly responseMetadata: "inline" | "headers" | "off";
  readonly dropParams: boolean;
  readonly policy: KeyPolicy;
}

/** What a key governs beside its name and end. Everything absent is not limited. */
export interface KeyPolicy {
  readonly projectId?: string | undefined;
  /** `read` sees its organization and calls nothing. Absent: `call`. */
  readonly role?: "call" | "read" | undefined;
  /** Globs of model ids. */
  readonly allowedModels?: readonly string[] | undefined;
  readonly requestsPerMinute?: number | undefined;
  readonly tokensPerMinute?: number | undefined;
  readonly concurrency?: number | undefined;
  readonly metadata?: Readonly<Record<string, string>> | undefined;
  /** Addresses and ranges (CIDR). */
  readonly allowedIps?: readonly string[] | undefined;
  /** The agent that its calls count as, whatever a header says. */
  readonly agent?: string | undefined;
}

export interface Authenticated extends Accepted {
  readonly key: ApiKey;
}

/** The body: read whole, bounded, parsed once. */
export interface Received extends Authenticated {
  readonly bytes: Uint8Array;
  readonly json: Readonly<Record<string, unknown>>;
}

export interface Governed extends Received {
  readonly request: ChatRequest;
  readonly includeUsage: boolean;
  /** What the caller calls a field or a place of the request. */
  readonly nameOf: (param: string) => string;
  /** Who the call counts against. */
  readonly counted: Counted;
  /** The narrowest prepaid balance that it is charged to. */
  readonly account: CreditAccount | undefined;
  /** What it takes up while it lasts: undefined: nothing limits it. */
  readonly claim: Claim | undefined;
}

/** Places among the limited calls of a minute and a step of a run: given back exactly once. */
export interface Claim {
  /** Headers that tell what is left (`x-ratelimit-*`). */
  readonly headers: Readonly<Record<string, string>>;
  /** An attempt was made and used so many tokens; undefined: nobody knows. */
  used(tokens: number | undefined): void;
  /** The call is over. `unmade`: it was refused for money and counts as if it had not come. */
  end(unmade: boolean): void;
}

/** The request as one provider will read it. */
export interface Outgoing {
  /** After the provider's base URL, with its query. */
  readonly path: string;
  readonly body: Uint8Array | string;
  readonly headers: Readonly<Record<string, string>>;
  /** The caller's fields that were left out. */
  readonly ignored: readonly string[];
  /** The output limit that goes out; undefined: none. */
  readonly maxOutputTokens: number | undefined;
}

/** What an answer whose limit is ours to choose needs of the hard budgets. */
export interface Need {
  /** The tightest of them, by its id. */
  readonly budgetId: string;
  /** The bound that leaves the answer long enough, or as long as it can ever be. */
  readonly enough: NanoUsd;
  /** Only what others hold is in the way. */
  readonly pinched: boolean;
}

/** One place a request may go: a provider's model with its credential, and the most it can cost there. */
export interface Target {
  readonly provider: string;
  readonly model: string;
  readonly tier: Tier | undefined;
  readonly price: Price | undefined;
  /** Upper bound of the cost; undefined where the model has no price. */
  readonly bound: NanoUsd | undefined;
  readonly outgoing: Outgoing;
  /** The output limit that we put in because the target demands one and the caller gave none. */
  readonly injectedMaxTokens: number | undefined;
  /** Where the limit that goes out is ours and hard budgets bound it: what the answer needs of them. */
  readonly need: Need | undefined;
  /** Whether the model may think in tokens that the caller never sees. undefined: not known. */
  readonly reasons: boolean | undefined;
}

export interface Planned extends Governed {
  /** In the order they are tried; never empty. */
  readonly targets: readonly Target[];
  /** True for `auto`: `model` then shows what was routed to. */
  readonly routed: boolean;
  readonly decision: Decision;
  /** What `auto` is compared with: the dearest model of the complex tier. undefined: pinned by the caller, who saves nothing. */
  readonly baseline: Price | undefined;
}

/** Why the targets stand in this order. Stored whole. */
export interface Decision {
  readonly asked: string;
  readonly chosen: readonly { provider: string; model: string; reason: string }[];
  readonly excluded: readonly { provider: string; model: string; reason: string }[];
}

/** One call to one target, with money held for it. */
export interface Attempt {
  /** `<requestId>.<number>` */
  readonly id: string;
  /** From 1. */
  readonly number: number;
  readonly target: Target;
  /** What the hold and the ledger row say of it. */
  readonly record: AttemptRecord;
  /** Monotonic milliseconds at which the hold was made. */
  readonly heldMs: number;
  /** The account it goes to, whatever becomes of that account meanwhile. undefined: none is needed, or it is gone. */
  readonly connection: Connection | undefined;
}

export interface Admitted extends Planned {
  readonly attempt: Attempt;
  /** Index of the attempt's target in `targets`. */
  readonly targetIndex: number;
}
