// What an operator sets up, beside keys: who is in which team, what may be spent, where calls may go. Small, and held in memory whole.
import type { Budget, Scope } from "./budget";
import type { KeyMode } from "./ids";
import type { NanoUsd } from "./money";
import type { Sealed } from "./vault";

export type OrganizationStatus = "active" | "suspended" | "cancelled";

export interface Organization {
  readonly id: string;
  readonly name: string;
  readonly status: OrganizationStatus;
  /** Unix milliseconds. */
  readonly createdAt: number;
}

interface Made {
  readonly id: string;
  readonly organizationId: string;
  /** Unix milliseconds. */
  readonly createdAt: number;
}

export interface Team extends Made {
  readonly name: string;
}

export interface Project extends Made {
  readonly name: string;
  readonly teamId?: string | undefined;
}

/** Rate limits of a scope other than a key, which carries its own. */
export interface ScopeLimits extends Made {
  readonly scope: Scope;
  readonly requestsPerMinute?: number | undefined;
  readonly tokensPerMinute?: number | undefined;
  readonly concurrency?: number | undefined;
}

/** A secret in the vault, shown by its last four characters only. */
interface StoredSecret extends Sealed {
  readonly lastFour: string;
}

/** A provider's credential: at most one of a provider in each organization, and in each project. */
export interface StoredCredential extends Made, StoredSecret {
  readonly name: string;
  /** The provider's slug. */
  readonly provider: string;
  /** undefined: every project of the organization. */
  readonly projectId?: string | undefined;
  /** In place of the provider's own address. */
  readonly baseUrl?: string | undefined;
  /** The one before the last rotation, asked with where the provider does not take the new one. `until`: Unix milliseconds. */
  readonly older?: (StoredSecret & { readonly until: number }) | undefined;
}

/** Where events are sent. */
export interface Webhook extends Made {
  readonly url: string;
  readonly description?: string | undefined;
  readonly masterKeyId: string;
  readonly sealedSecret: string;
  /** "budget.threshold", …; empty: all. */
  readonly events: readonly string[];
  readonly enabled: boolean;
}

/** A prepaid balance: its entries less what calls were charged. */
export interface CreditAccount extends Made {
  /** organization, project or key. */
  readonly scope: Scope;
  /** In hundredths of a per cent, on every cost: 2000 is 20 %. */
  readonly markupBasisPoints: number;
}

/** One agent's run: its limits were fixed by its first call, and may only be lowered. */
export interface Run extends Made {
  /** The caller's own name of it. */
  readonly name: string;
  readonly keyId: string;
  readonly agent?: string | undefined;
  /** The parent's name. */
  readonly parent?: string | undefined;
  /** Runs of test keys are others than those of live keys. */
  readonly mode: KeyMode;
  readonly maxUsd?: NanoUsd | undefined;
  readonly maxSteps?: number | undefined;
  readonly maxSeconds?: number | undefined;
  readonly cancelledAt?: number | undefined;
}

/** Every kind of record, by the name it is stored under. */
export interface RecordTypes {
  team: Team;
  project: Project;
  budget: Budget;
  "scope-limits": ScopeLimits;
  credential: StoredCredential;
  webhook: Webhook;
  "credit-account": CreditAccount;
  run: Run;
}

export type RecordKind = keyof RecordTypes;

/** One change of a prepaid balance. Never changed itself. */
export interface CreditEntry {
  readonly organizationId: string;
  /** The credit account's id. */
  readonly accountId: string;
  readonly kind: "top_up" | "adjustment";
  /** An adjustment may be below zero. */
  readonly amount: NanoUsd;
  readonly reason: string;
  /** Who did it: "admin", or a key's id. */
  readonly actor: string;
  /** Unix milliseconds. */
  readonly at: number;
}

/** What an administrator did. */
export interface AdminEvent {
  readonly at: number;
  readonly organizationId: string;
  readonly actor: string;
  /** "api_key.created", "budget.updated", … */
  readonly type: string;
  /** The id of what it was done to. */
  readonly resource: string;
  /** What changed. Never a secret. */
  readonly data: Readonly<Record<string, unknown>>;
}

/** A webhook's message on its way. */
export interface Delivery {
  readonly id: string;
  readonly organizationId: string;
  readonly webhookId: string;
  readonly event: string;
  /** JSON text, as it is signed. */
  readonly body: string;
  readonly status: "waiting" | "delivered" | "failed";
  readonly attempts: number;
  readonly nextAt?: number | undefined;
  readonly lastStatus?: number | undefined;
  readonly lastError?: string | undefined;
  readonly at: number;
}
