// Secrets at rest, as words: what is sealed, where it stands, and the keys that seal.
import type { Secret } from "./secret";

/** Where a sealed value stands. It is authenticated with the value: moved to another row, column or organization, it does not open. */
export interface VaultPlace {
  /** "credential", "webhook": the kind of record. */
  readonly table: string;
  readonly row: string;
  readonly column: string;
  readonly organizationId: string;
}

/** A value as it is stored, with the name of the master key that opens it. */
export interface Sealed {
  readonly masterKeyId: string;
  /** Base64. */
  readonly sealed: string;
}

/** Keeps secrets at rest: sealed under the master key, bound to where they stand. Synchronous; a few microseconds each. */
export interface Vault {
  /** The master key that seals from now on: "mk_" and 16 hex digits. */
  readonly keyId: string;
  /** Every master key that is here, the current one first. */
  readonly keyIds: readonly string[];
  seal(text: Secret, place: VaultPlace): Sealed;
  /** Throws `VaultFault`. */
  open(value: Sealed, place: VaultPlace): Secret;
}

/** Why a sealed value does not open. Its message names the place, never the value. */
export class VaultFault extends Error {
  constructor(
    /** `unknown_key`: sealed by a master key that is not here. `damaged`: the value or its place is not what was sealed. */
    readonly kind: "unknown_key" | "damaged",
    message: string,
  ) {
    super(message);
    this.name = "VaultFault";
  }
}

export const MASTER_KEY_BYTES = 32;

const HEX = /^[0-9a-f]{64}$/i;
/** Standard and URL-safe, with its padding or without. */
const BASE64 = /^[A-Za-z0-9+/_-]{43}=?$/;

/** 32 bytes written as hex or base64. undefined: neither. */
export function masterKeyOf(text: string): Uint8Array | undefined {
  if (HEX.test(text)) return Uint8Array.from({ length: MASTER_KEY_BYTES }, (_, at) => Number.parseInt(text.slice(at * 2, at * 2 + 2), 16));
  if (!BASE64.test(text)) return undefined;
  const binary = atob(text.replace(/=$/, "").replaceAll("-", "+").replaceAll("_", "/"));
  return Uint8Array.from(binary, (character) => character.charCodeAt(0));
}

type Row = { readonly id: string; readonly organizationId: string };

/** Where a provider's credential stands. */
export const credentialPlace = ({ id, organizationId }: Row): VaultPlace => ({
  table: "credential",
  row: id,
  column: "sealed",
  organizationId,
});

/** Where the one before the last rotation stands. */
export const olderCredentialPlace = (row: Row): VaultPlace => ({ ...credentialPlace(row), column: "older" });

/** Where a webhook's signing secret stands. */
export const webhookPlace = ({ id, organizationId }: Row): VaultPlace => ({
  table: "webhook",
  row: id,
  column: "sealedSecret",
  organizationId,
});
