// A webhook's signing secrets: the one in force, and for a while the one before, sealed together.
import { Failure } from "../core/failure";
import type { Random } from "../core/ports";
import type { Webhook } from "../core/records";
import { Secret } from "../core/secret";
import { type Sealed, type Vault, webhookPlace } from "../core/vault";

const PREFIX = "whsec_";
const BYTES = 32;
/** What Standard Webhooks asks of a secret. */
const LEAST_BYTES = 24;
const MOST_BYTES = 64;

export interface SigningSecrets {
  readonly current: Secret;
  readonly older?: { readonly secret: Secret; readonly until: number } | undefined;
}

type Place = Pick<Webhook, "id" | "organizationId">;

export const newSecret = (random: Random): Secret => new Secret(PREFIX + btoa(String.fromCharCode(...random.bytes(BYTES))));

/** Throws `invalid_value` for what would sign nothing, or could be guessed. */
export function readSecret(text: string): Secret {
  const bytes = bytesOf(text);
  if (bytes === undefined || bytes < LEAST_BYTES || bytes > MOST_BYTES) {
    const says = `secret takes "${PREFIX}" and ${LEAST_BYTES} to ${MOST_BYTES} bytes in base64. Leave it out to have one made.`;
    throw new Failure("invalid_value", says, { param: "secret" });
  }
  return new Secret(text);
}

function bytesOf(text: string): number | undefined {
  if (!text.startsWith(PREFIX)) return undefined;
  const base64 = text.slice(PREFIX.length);
  return /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/.test(base64) ? atob(base64).length : undefined;
}

export function sealSecrets({ current, older }: SigningSecrets, place: Place, vault: Vault): Sealed {
  const text = JSON.stringify({ current: current.reveal(), older: older && { secret: older.secret.reveal(), until: older.until } });
  return vault.seal(new Secret(text), webhookPlace(place));
}

/** Throws `VaultFault`. */
export function openSecrets(webhook: Webhook, vault: Vault): SigningSecrets {
  const sealed = vault.open({ masterKeyId: webhook.masterKeyId, sealed: webhook.sealedSecret }, webhookPlace(webhook));
  const { current, older } = JSON.parse(sealed.reveal()) as { current: string; older?: { secret: string; until: number } };
  return { current: new Secret(current), older: older && { secret: new Secret(older.secret), until: older.until } };
}

/** What signs at `now`. */
export const inForce = ({ current, older }: SigningSecrets, now: number): readonly Secret[] =>
  older !== undefined && older.until > now ? [current, older.secret] : [current];
