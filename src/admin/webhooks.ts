// Webhooks: made, changed, tried, removed; and the log of what was sent to them. The signing secret is shown once, when it is made.
import { EVENT_TYPES, TEST_EVENT } from "../core/event";
import { Failure } from "../core/failure";
import { NotifyError } from "../core/notify";
import type { Ports } from "../core/ports";
import type { Delivery, Webhook } from "../core/records";
import { note } from "./events";
import { type Fields, fieldsOf, notFound, quoted } from "./fields";
import { newId } from "./organizations";
import { type Ask, organizationOr, recordFound } from "./place";
import { inTurn } from "./turn";
import { inForce, newSecret, openSecrets, readSecret, type SigningSecrets, sealSecrets } from "./webhook-secret";

const MAX_WEBHOOKS = 50;
const MAX_URL_CHARACTERS = 2_048;
const MAX_DESCRIPTION_CHARACTERS = 512;
const DAY_S = 24 * 3_600;
const MAX_GRACE_S = 7 * DAY_S;
const MAX_LOG_ROWS = 1_000;

export interface WebhookDocument {
  object: "webhook";
  id: string;
  organization: string;
  url: string;
  description: string | null;
  /** Empty: every event. */
  events: readonly string[];
  enabled: boolean;
  /** ISO 8601. */
  created_at: string;
}

const webhookDocument = ({ id, organizationId, url, description, events, enabled, createdAt }: Webhook): WebhookDocument => ({
  object: "webhook",
  id,
  organization: organizationId,
  url,
  description: description ?? null,
  events,
  enabled,
  created_at: new Date(createdAt).toISOString(),
});

const deliveryDocument = (delivery: Delivery): object => ({
  object: "webhook_delivery",
  id: delivery.id,
  webhook: delivery.webhookId,
  event: delivery.event,
  status: delivery.status,
  attempts: delivery.attempts,
  next_attempt_at: delivery.nextAt === undefined ? null : new Date(delivery.nextAt).toISOString(),
  last_status: delivery.lastStatus ?? null,
  last_error: delivery.lastError ?? null,
  created_at: new Date(delivery.at).toISOString(),
  payload: JSON.parse(delivery.body),
});

/** `{url, events?, description?, secret?, enabled?, organization?}` → its document and, this once, the signing secret. */
export async function createWebhook(ask: Ask, ports: Ports): Promise<WebhookDocument & { secret: string }> {
  const fields = fieldsOf(ask.body, ["url", "events", "description", "secret", "enabled", "organization"], "Webhooks");
  const organizationId = organizationOr(ask, fields, ports);
  const url = readUrl(fields.needed("url", "A webhook"), fields);
  const events = readEvents(fields);
  const description = readDescription(fields);
  const given = fields.text("secret");
  const secret = given === undefined ? newSecret(ports.random) : readSecret(given);
  const enabled = fields.flag("enabled") ?? true;
  // Asked before, so that a full organization's names are not looked up, and again in turn, when it counts.
  refuseMore(organizationId, ports);
  await checkAddress(url, ports);
  return inTurn(ports, async () => {
    refuseMore(organizationId, ports);
    const id = newId("whk", ports);
    const webhook: Webhook = {
      id,
      organizationId,
      createdAt: ports.clock.now(),
      url,
      description,
      ...sealed({ current: secret }, { id, organizationId }, ports),
      events,
      enabled,
    };
    await ports.directory.put("webhook", webhook);
    await noteChange("created", webhook, ports);
    return { ...webhookDocument(webhook), secret: secret.reveal() };
  });
}

function refuseMore(organizationId: string, { directory }: Ports): void {
  if (directory.list("webhook", organizationId).length >= MAX_WEBHOOKS)
    throw new Failure("invalid_value", `An organization has at most ${MAX_WEBHOOKS} webhooks.`, { param: "organization" });
}

export const listWebhooks = (ask: Ask, ports: Ports): object => ({
  object: "list",
  data: ports.directory.list("webhook", organizationOr(ask, undefined, ports)).map(webhookDocument),
  next_cursor: null,
});

export const showWebhook = (id: string, ask: Ask, ports: Ports): WebhookDocument => webhookDocument(recordFound("webhook", id, ask, ports));

/** `{url?, events?, description?, enabled?}`: what is absent stays. */
export async function changeWebhook(id: string, ask: Ask, ports: Ports): Promise<WebhookDocument> {
  const fields = fieldsOf(ask.body, ["url", "events", "description", "enabled"], "Webhooks");
  const before = recordFound("webhook", id, ask, ports);
  const url = fields.has("url") ? readUrl(fields.needed("url", "A webhook"), fields) : undefined;
  const changed = {
    ...(fields.has("events") ? { events: readEvents(fields) } : {}),
    ...(fields.has("description") ? { description: readDescription(fields) } : {}),
    ...(fields.has("enabled") ? { enabled: fields.flag("enabled") ?? before.enabled } : {}),
    ...(url === undefined ? {} : { url }),
  };
  // Before the turn: a name server that is slow holds no other administrator up.
  if (url !== undefined) await checkAddress(url, ports);
  return inTurn(ports, async () => {
    // As it is now: it may have been changed or removed while the address was looked up.
    const after: Webhook = { ...recordFound("webhook", id, ask, ports), ...changed };
    await ports.directory.put("webhook", after);
    await noteChange("updated", after, ports);
    return webhookDocument(after);
  });
}

/** `{secret?, grace_seconds?}` → a new secret, this once. Until the grace is over the one before signs too, beside it. */
export function rotateWebhookSecret(id: string, ask: Ask, ports: Ports): Promise<object> {
  return inTurn(ports, async () => {
    const fields = fieldsOf(ask.body, ["secret", "grace_seconds"], "Rotations");
    const webhook = recordFound("webhook", id, ask, ports);
    const given = fields.text("secret");
    const current = given === undefined ? newSecret(ports.random) : readSecret(given);
    const graceSeconds = fields.whole("grace_seconds", 0, MAX_GRACE_S) ?? DAY_S;
    const now = ports.clock.now();
    const [before] = inForce(openSecrets(webhook, ports.vault), now);
    const older = before === undefined || graceSeconds === 0 ? undefined : { secret: before, until: now + graceSeconds * 1000 };
    const after: Webhook = { ...webhook, ...sealed({ current, older }, webhook, ports) };
    await ports.directory.put("webhook", after);
    await noteChange("secret_rotated", after, ports);
    return {
      ...webhookDocument(after),
      secret: current.reveal(),
      older_secret_until: older === undefined ? null : new Date(older.until).toISOString(),
    };
  });
}

export function removeWebhook(id: string, ask: Ask, ports: Ports): Promise<object> {
  return inTurn(ports, async () => {
    const webhook = recordFound("webhook", id, ask, ports);
    await ports.directory.remove("webhook", id);
    await noteChange("deleted", webhook, ports);
    return { object: "webhook", id, deleted: true };
  });
}

/** Sends one message that says nothing, now, and answers with what became of it. It is not sent again. */
export async function testWebhook(id: string, ask: Ask, ports: Ports): Promise<object> {
  const webhook = recordFound("webhook", id, ask, ports);
  const data = { webhook_id: id, organization: webhook.organizationId, message: "A test, sent by an administrator." };
  return deliveryDocument(await ports.events.sendTo(webhook, { type: TEST_EVENT, organizationId: webhook.organizationId, data }));
}

/** Newest first. */
export async function listDeliveries(id: string, ask: Ask, limit: number, ports: Ports): Promise<object> {
  const webhook = recordFound("webhook", id, ask, ports);
  const deliveries = await ports.outbox.list(webhook.id, limit);
  return { object: "list", data: deliveries.map(deliveryDocument), next_cursor: null };
}

/** Sends a message once more, now, whatever became of it before, and answers with what becomes of it. */
export async function retryDelivery(id: string, deliveryId: string, ask: Ask, ports: Ports): Promise<object> {
  const webhook = recordFound("webhook", id, ask, ports);
  const delivery = (await ports.outbox.list(webhook.id, MAX_LOG_ROWS)).find((one) => one.id === deliveryId);
  if (delivery === undefined) throw notFound("delivery", deliveryId, "delivery");
  return deliveryDocument((await ports.events.again(delivery)) ?? delivery);
}

function readUrl(text: string, fields: Fields): string {
  if (text.length > MAX_URL_CHARACTERS) return fields.fail("url", `takes at most ${MAX_URL_CHARACTERS} characters.`);
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url?.protocol !== "https:" && url?.protocol !== "http:") return fields.fail("url", "takes an http or https address.");
  if (url.username !== "" || url.password !== "")
    return fields.fail("url", "takes no user or password: messages are signed with the secret instead.");
  if (url.hash !== "") return fields.fail("url", "takes no fragment.");
  return url.href;
}

function readEvents(fields: Fields): readonly string[] {
  const events = fields.texts("events", EVENT_TYPES.length) ?? [];
  events.forEach((event, i) => {
    if (!(EVENT_TYPES as readonly string[]).includes(event))
      fields.fail(`events[${i}]`, `is ${quoted(event)}, and takes one of ${EVENT_TYPES.join(", ")}.`);
  });
  return events;
}

function readDescription(fields: Fields): string | undefined {
  const text = fields.text("description");
  if (text === undefined) return undefined;
  if (text.length > MAX_DESCRIPTION_CHARACTERS || /\p{Cc}/u.test(text))
    return fields.fail("description", `takes at most ${MAX_DESCRIPTION_CHARACTERS} characters, none of them a control character.`);
  return text;
}

async function checkAddress(url: string, ports: Ports): Promise<void> {
  try {
    await ports.notify.check(url);
  } catch (thrown) {
    if (!(thrown instanceof NotifyError)) throw thrown;
    throw new Failure("invalid_value", `url cannot be used: ${thrown.message}.`, { param: "url", cause: thrown });
  }
}

function sealed(secrets: SigningSecrets, place: Pick<Webhook, "id" | "organizationId">, ports: Ports) {
  const { masterKeyId, sealed: sealedSecret } = sealSecrets(secrets, place, ports.vault);
  return { masterKeyId, sealedSecret };
}

/** The host alone: addresses of webhooks hold tokens in their paths. */
const noteChange = (change: string, { id, organizationId, url, events, enabled }: Webhook, ports: Ports): Promise<void> =>
  note({ organizationId, type: `webhook.${change}`, resource: id, data: { host: new URL(url).host, events, enabled } }, ports);
