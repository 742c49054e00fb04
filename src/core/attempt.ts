// What is written down of an attempt before it is made.
import type { KeyMode } from "./ids";
import type { NanoUsd } from "./money";

/** What identifies an attempt: written with the hold, so that an orphan can still become a ledger row. */
export interface AttemptRecord {
  attemptId: string;
  requestId: string;
  attemptNumber: number;
  /** Unix milliseconds of the hold. */
  heldAt: number;
  organizationId: string;
  /** The key's project and its team, where it has them. */
  teamId?: string | undefined;
  projectId?: string | undefined;
  keyId: string;
  mode: KeyMode;
  door: string;
  provider: string;
  modelRequested: string;
  modelServed: string;
  stream: boolean;
  tag?: string | undefined;
  agent?: string | undefined;
  run?: string | undefined;
  user?: string | undefined;
  /** Of the target: "simple", "medium", "complex". */
  tier?: string | undefined;
  /** What the call was for, as far as it was told. */
  intent?: string | undefined;
  priceVersion?: string | undefined;
  /** undefined: unpriced. */
  bound?: NanoUsd | undefined;
  /** JSON text of the decision. */
  decision?: string | undefined;
}

/** Who a call counts against: what its record says of it. */
export type Counted = Pick<AttemptRecord, "organizationId" | "teamId" | "projectId" | "keyId" | "user" | "agent" | "run">;
