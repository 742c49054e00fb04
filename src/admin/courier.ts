// The courier: writes an event down for every webhook that wants it, and sends what waits, one message at a time to each endpoint.
// Nothing waits for it. What is written down survives a restart; a message may come twice, under the same id.
import type { Events, GatewayEvent } from "../core/event";
import { publicIdFrom } from "../core/ids";
import { NotifyError } from "../core/notify";
import type { Ports } from "../core/ports";
import type { Delivery, Webhook } from "../core/records";
import { VaultFault } from "../core/vault";
import { crossingEvents } from "../policy/alert";
import { restMs, retryInMs, verdictOf } from "../policy/delivery";
import { inTurn } from "./turn";
import { inForce, openSecrets } from "./webhook-secret";

/** Messages that wait for one endpoint, and in all. One more is dropped, and the log says so. */
const MAX_WAITING_EACH = 1_000;
const MAX_WAITING = 10_000;
const MAX_AT_ONCE = 16;
/** Rows of one webhook's log that are looked at for an event that is told once. */
const LOOK_BACK = 1_000;
const MAX_TOLD = 10_000;
/** A timer is set anew at the latest after this: the wall clock may jump. */
const LONGEST_NAP_MS = 60_000;

export type CourierPorts = Pick<Ports, "clock" | "random" | "directory" | "outbox" | "vault" | "notify" | "log">;

interface Attempted {
  after: Delivery;
  answered: boolean;
}

/** What waits for one webhook. */
interface Lane {
  readonly webhookId: string;
  readonly waiting: Map<string, Delivery>;
  sending: boolean;
  failures: number;
  /** Monotonic milliseconds. */
  restUntilMs: number;
}

export class Courier implements Events {
  readonly #ports: CourierPorts;
  /** In the order in which they had their last turn. */
  readonly #lanes = new Map<string, Lane>();
  readonly #told = new Set<string>();
  /** Ids of the messages on their way. */
  readonly #away = new Set<string>();
  #waiting = 0;
  #sending = 0;
  #state: "closed" | "open" = "closed";
  #cancelNap: (() => void) | undefined;

  constructor(ports: CourierPorts) {
    this.#ports = ports;
  }

  /** Begins to send: what waits from before, and what comes. Until then events are only written down. */
  async start(): Promise<void> {
    this.#state = "open";
    for (const delivery of await this.#ports.outbox.due(Number.MAX_SAFE_INTEGER, MAX_WAITING)) this.#enqueue(delivery);
    this.#look();
  }

  /** Sends nothing more. What is on its way is told to nobody: it is sent again after the next start. */
  stop(): void {
    this.#state = "closed";
    this.#cancelNap?.();
  }

  emit(event: GatewayEvent): void {
    const webhooks = this.#ports.directory.list("webhook", event.organizationId).filter((webhook) => wants(webhook, event));
    if (webhooks.length === 0 || !this.#isFirst(event)) return;
    for (const webhook of webhooks) {
      this.#write(webhook, event).catch((thrown: unknown) => {
        this.#ports.log.write("error", "webhook_not_written", { webhook: webhook.id, type: event.type, error: String(thrown) });
      });
    }
  }

  async sendTo(webhook: Webhook, event: GatewayEvent): Promise<Delivery> {
    const delivery = this.#newDelivery(webhook, event);
    await this.#ports.outbox.put({ ...delivery, nextAt: undefined, status: "failed" });
    const { after } = await this.#attempt(delivery);
    // What was asked for is answered now: it is not tried again later.
    const last: Delivery = after.status === "waiting" ? { ...after, status: "failed", nextAt: undefined } : after;
    await this.#ports.outbox.put(last);
    return last;
  }

  async again(delivery: Delivery): Promise<Delivery | undefined> {
    if (this.#away.has(delivery.id)) return undefined;
    const lane = this.#laneOf(delivery.webhookId);
    this.#dequeue(lane, delivery.id);
    const { after } = await this.#attempt(delivery);
    await this.#settle(lane, after);
    return after;
  }

  #isFirst({ organizationId, once }: GatewayEvent): boolean {
    if (once === undefined) return true;
    const name = `${organizationId}/${once}`;
    if (this.#told.has(name)) return false;
    if (this.#told.size >= MAX_TOLD) this.#told.clear();
    this.#told.add(name);
    return true;
  }

  async #write(webhook: Webhook, event: GatewayEvent): Promise<void> {
    const { outbox, log } = this.#ports;
    if (this.#waiting >= MAX_WAITING || this.#laneOf(webhook.id).waiting.size >= MAX_WAITING_EACH) {
      log.write("warn", "webhook_dropped", { webhook: webhook.id, type: event.type });
      return;
    }
    const delivery = this.#newDelivery(webhook, event);
    // Told before the last start: the ids are equal.
    if (event.once !== undefined && (await outbox.list(webhook.id, LOOK_BACK)).some(({ id }) => id === delivery.id)) return;
    const written = outbox.put(delivery);
    // It is tried even where it could not be written down.
    this.#enqueue(delivery);
    this.#look();
    await written;
  }

  #newDelivery(webhook: Webhook, event: GatewayEvent): Delivery {
    const { clock, random } = this.#ports;
    const now = clock.now();
    const name = event.once ?? publicIdFrom(random.bytes(12));
    return {
      id: `msg_${webhook.id}_${name}`,
      organizationId: webhook.organizationId,
      webhookId: webhook.id,
      event: event.type,
      body: JSON.stringify({ type: event.type, timestamp: new Date(now).toISOString(), data: event.data }),
      status: "waiting",
      attempts: 0,
      nextAt: now,
      at: now,
    };
  }

  #laneOf(webhookId: string): Lane {
    const known = this.#lanes.get(webhookId);
    if (known) return known;
    const lane: Lane = { webhookId, waiting: new Map(), sending: false, failures: 0, restUntilMs: 0 };
    this.#lanes.set(webhookId, lane);
    return lane;
  }

  #enqueue(delivery: Delivery): void {
    const lane = this.#laneOf(delivery.webhookId);
    if (lane.waiting.has(delivery.id) || this.#away.has(delivery.id)) return;
    lane.waiting.set(delivery.id, delivery);
    this.#waiting++;
  }

  #dequeue(lane: Lane, id: string): void {
    if (lane.waiting.delete(id)) this.#waiting--;
  }

  /** Sends what may be sent now, and comes back when more may. */
  #look(): void {
    if (this.#state === "closed") return;
    this.#cancelNap?.();
    const { clock } = this.#ports;
    let napMs = Number.POSITIVE_INFINITY;
    for (const lane of [...this.#lanes.values()]) {
      const first = lane.sending ? undefined : earliest(lane);
      if (first === undefined) continue;
      const inMs = Math.max((first.nextAt ?? 0) - clock.now(), lane.restUntilMs - clock.elapsedMs());
      if (inMs > 0) napMs = Math.min(napMs, inMs);
      else if (this.#sending < MAX_AT_ONCE) void this.#turn(lane, first);
    }
    // What finds no room now gets it when a message that is on its way is done.
    if (napMs !== Number.POSITIVE_INFINITY) this.#cancelNap = clock.after(Math.min(napMs, LONGEST_NAP_MS), () => this.#look());
  }

  /** One message of one lane. Never rejects. */
  async #turn(lane: Lane, delivery: Delivery): Promise<void> {
    const { clock, random } = this.#ports;
    this.#sending++;
    lane.sending = true;
    this.#dequeue(lane, delivery.id);
    this.#lanes.delete(lane.webhookId);
    this.#lanes.set(lane.webhookId, lane);
    const { after, answered } = await this.#attempt(delivery);
    lane.failures = answered ? 0 : lane.failures + 1;
    lane.restUntilMs = clock.elapsedMs() + restMs(lane.failures, random.next());
    lane.sending = false;
    this.#sending--;
    try {
      await this.#settle(lane, after);
    } catch (thrown) {
      this.#ports.log.write("error", "webhook_not_written", { webhook: lane.webhookId, delivery: delivery.id, error: String(thrown) });
    }
    this.#look();
  }

  /** What became of it is kept, and it waits again where it should. */
  async #settle(lane: Lane, after: Delivery): Promise<void> {
    if (after.status === "waiting") this.#enqueue(after);
    else if (lane.waiting.size === 0 && lane.failures === 0 && !lane.sending) this.#lanes.delete(lane.webhookId);
    await this.#ports.outbox.put(after);
  }

  /** Never rejects. `answered`: the endpoint said yes, or was not asked. */
  async #attempt(delivery: Delivery): Promise<Attempted> {
    const webhook = this.#ports.directory.get("webhook", delivery.webhookId);
    if (webhook === undefined || !webhook.enabled) {
      const lastError = webhook === undefined ? "The webhook was removed" : "The webhook is not enabled";
      return { after: givenUp({ ...delivery, lastError }), answered: true };
    }
    const tried = { ...delivery, attempts: delivery.attempts + 1, lastStatus: undefined };
    this.#away.add(delivery.id);
    try {
      return await this.#post(webhook, tried);
    } catch (thrown) {
      const known = thrown instanceof NotifyError || thrown instanceof VaultFault;
      if (!known) this.#ports.log.write("error", "webhook_bug", { delivery: delivery.id, error: String(thrown) });
      const lastError = known ? thrown.message : "Something went wrong in the gateway: its log says what";
      return { after: this.#later({ ...tried, lastError }), answered: false };
    } finally {
      this.#away.delete(delivery.id);
    }
  }

  async #post(webhook: Webhook, tried: Delivery): Promise<Attempted> {
    const { clock, notify, vault } = this.#ports;
    const now = clock.now();
    const sign = { id: tried.id, at: now, secrets: inForce(openSecrets(webhook, vault), now) };
    const { status, retryAfterMs } = await notify.post({ url: webhook.url, body: tried.body, sign });
    const told = { ...tried, lastStatus: status };
    switch (verdictOf(status)) {
      case "delivered":
        return { after: { ...told, status: "delivered", nextAt: undefined, lastError: undefined }, answered: true };
      case "gone":
        await this.#disable(webhook.id);
        return {
          after: givenUp({ ...told, lastError: "The endpoint answered 410: the webhook is not enabled any more" }),
          answered: false,
        };
      case "again":
        return { after: this.#later({ ...told, lastError: `The endpoint answered ${status}` }, retryAfterMs), answered: false };
    }
  }

  #later(delivery: Delivery, retryAfterMs?: number): Delivery {
    const { clock, random } = this.#ports;
    const now = clock.now();
    const inMs = retryInMs({ attempts: delivery.attempts, ageMs: now - delivery.at, retryAfterMs }, random.next());
    return inMs === undefined ? givenUp(delivery) : { ...delivery, status: "waiting", nextAt: now + inMs };
  }

  async #disable(id: string): Promise<void> {
    const { directory, log } = this.#ports;
    log.write("warn", "webhook_gone", { webhook: id });
    await inTurn({ directory }, async () => {
      // As it is now: it may have changed while the endpoint was asked, or be gone.
      const webhook = directory.get("webhook", id);
      if (webhook) await directory.put("webhook", { ...webhook, enabled: false });
    });
  }
}

const givenUp = (delivery: Delivery): Delivery => ({ ...delivery, status: "failed", nextAt: undefined });

const wants = ({ enabled, events }: Webhook, { type }: GatewayEvent): boolean => enabled && (events.length === 0 || events.includes(type));

function earliest({ waiting }: Lane): Delivery | undefined {
  let first: Delivery | undefined;
  for (const delivery of waiting.values()) if (first === undefined || (delivery.nextAt ?? 0) < (first.nextAt ?? 0)) first = delivery;
  return first;
}

/** A courier that hears what budgets come to. It sends nothing before its start. */
export function openCourier(ports: CourierPorts & Pick<Ports, "budgets">): Courier {
  const courier = new Courier(ports);
  ports.budgets.onCrossing((crossing, mode) => {
    for (const event of crossingEvents(crossing, mode, ports.clock.now())) courier.emit(event);
  });
  return courier;
}
