// What operators' endpoints are told of, as words. docs/webhooks.md shows each one's payload; a test holds the two equal.
import type { Delivery, Webhook } from "./records";

export const EVENT_TYPES = [
  "budget.threshold",
  "budget.exceeded",
  "credits.low",
  "provider.circuit_open",
  "provider.recovered",
  "key.created",
  "key.revoked",
  "overrun",
  "tracking.bypassed",
] as const;
export type EventType = (typeof EVENT_TYPES)[number];

/** Sent only where an operator asks for it, to any endpoint. */
export const TEST_EVENT = "webhook.test";

export interface GatewayEvent {
  readonly type: EventType | typeof TEST_EVENT;
  readonly organizationId: string;
  /** JSON: money as decimal strings in USD, times in ISO 8601. Never a secret, a prompt or an answer. */
  readonly data: Readonly<Record<string, unknown>>;
  /** A name of `A-Za-z0-9_`: of all events that have it, one is told. undefined: each is. */
  readonly once?: string | undefined;
}

/** What happens is told to the operators' webhooks. Nothing ever waits for it. */
export interface Events {
  /** To every webhook of the organization that wants it. Never throws. */
  emit(event: GatewayEvent): void;
  /** To one webhook, whatever it wants, once and at once. Resolves with what became of it. */
  sendTo(webhook: Webhook, event: GatewayEvent): Promise<Delivery>;
  /** One more attempt, now. Resolves with what became of it; undefined: it is being attempted at the moment. */
  again(delivery: Delivery): Promise<Delivery | undefined>;
}
