// The network towards providers, over Bun's fetch: its pool, its TLS, no redirects, our own classes of failure. Where addresses are
// checked, the connection goes to one that was, so that a name which answers differently the second time gets nowhere.
import { isIP } from "node:net";
import { Failure } from "../core/failure";
import { type Dial, DialError, type DialRequest, type DialResponse } from "../core/ports";
import { type Addresses, AddressRefused, bareHost, openAddressGuard, type Resolve, setBack } from "./address-guard";

export interface DialOptions {
  /** Providers may have addresses of this house (TOLLWAY_ALLOW_PRIVATE_UPSTREAMS). */
  allowPrivate: boolean;
  elapsedMs(): number;
  /** Default: the system's resolver. */
  resolve?: Resolve | undefined;
}

/** Addresses of one name that are tried, one after another. */
const MAX_ADDRESSES = 4;

/** Bun's and Node's codes for a connection that never came to be: nothing was sent. */
const NEVER_CONNECTED = new Set([
  "ConnectionRefused",
  "FailedToOpenSocket",
  "ECONNREFUSED",
  "ENOTFOUND",
  "EAI_AGAIN",
  "EHOSTUNREACH",
  "ENETUNREACH",
  // Bun's word for a TLS handshake that failed.
  "EPROTO",
  "ERR_TLS_CERT_ALTNAME_INVALID",
  "CERT_HAS_EXPIRED",
  "DEPTH_ZERO_SELF_SIGNED_CERT",
  "SELF_SIGNED_CERT_IN_CHAIN",
  "UNABLE_TO_GET_ISSUER_CERT",
  "UNABLE_TO_GET_ISSUER_CERT_LOCALLY",
  "UNABLE_TO_VERIFY_LEAF_SIGNATURE",
  "UNKNOWN_CERTIFICATE_VERIFICATION_ERROR",
]);

export function openDial(options: DialOptions): Dial {
  const guard = openAddressGuard(options.allowPrivate, options.elapsedMs, options.resolve);
  return {
    async send(request, signal) {
      let to: Target;
      try {
        const url = new URL(request.url);
        const checked = guard(url);
        to = { url, addresses: checked instanceof Promise ? await checked : checked };
      } catch (cause) {
        throw new DialError("refused", cause instanceof AddressRefused ? cause.message : "The provider's name does not resolve", cause);
      }
      try {
        return receive(await dispatch(request, to, signal));
      } catch (cause) {
        if (signal.aborted) throw new DialError("aborted", "The call was ended by the gateway", cause);
        throw new DialError(isNeverConnected(cause) ? "refused" : "reset", `The connection failed (${codeOf(cause)})`, cause);
      }
    },
  };
}

interface Target {
  url: URL;
  /** undefined: any. */
  addresses: Addresses | undefined;
}

async function dispatch(request: DialRequest, { url, addresses }: Target, signal: AbortSignal): Promise<Response> {
  const headers: Record<string, string> = { ...request.headers };
  const { credential } = request;
  if (credential) headers[credential.header] = credential.prefix + credential.secret.reveal();
  const init: RequestInit = { method: request.method, headers, body: request.body as BodyInit, redirect: "manual", signal };
  if (addresses === undefined || isIP(bareHost(url)) !== 0) return fetch(request.url, init);
  headers["host"] = url.host;
  // The certificate is the name's, not the address's. Bun pools connections by address and this name.
  const pinned = { ...init, tls: { serverName: url.hostname } };
  let refused: unknown;
  for (const address of addresses.slice(0, MAX_ADDRESSES)) {
    const target = new URL(url);
    target.hostname = isIP(address) === 6 ? `[${address}]` : address;
    try {
      return await fetch(target.href, pinned);
    } catch (cause) {
      setBack(addresses, address);
      // Something may have been sent: another address would get it a second time.
      if (signal.aborted || !isNeverConnected(cause)) throw cause;
      refused = cause;
    }
  }
  throw refused;
}

/** Whether what `fetch` threw says that nothing was sent. */
export const isNeverConnected = (error: unknown): boolean => NEVER_CONNECTED.has(codeOf(error));

const codeOf = (error: unknown): string => (error instanceof Error && "code" in error ? String(error.code) : "unknown");

function receive(response: Response): DialResponse {
  const { headers } = response;
  return {
    status: response.status,
    headers: { get: (name) => headers.get(name) ?? undefined },
    // Asked for when it is read: a body that has once been a stream is read whole far more slowly.
    get body() {
      return response.body ?? undefined;
    },
    bytes: (maxBytes) => readAll(response, maxBytes),
  };
}

const tooLarge = (maxBytes: number): Failure => new Failure("upstream_error", `The provider's answer is larger than ${maxBytes} bytes.`);

async function readAll(response: Response, maxBytes: number): Promise<Uint8Array> {
  const { headers } = response;
  const length = headers.get("content-length");
  try {
    // An announced, uncompressed length bounds the buffer; everything else is counted as it is decoded. Beside a chunked body
    // a length says nothing (RFC 9112, 6.3).
    if (length !== null && !headers.has("content-encoding") && !headers.has("transfer-encoding")) {
      if (Number(length) > maxBytes) throw tooLarge(maxBytes);
      return await response.bytes();
    }
    return await countedRead(response, maxBytes);
  } catch (cause) {
    if (cause instanceof Failure) throw cause;
    throw new DialError("reset", `The answer broke off (${codeOf(cause)})`, cause);
  }
}

async function countedRead(response: Response, maxBytes: number): Promise<Uint8Array> {
  const reader = response.body?.getReader();
  if (!reader) return new Uint8Array(0);
  const pieces: Uint8Array[] = [];
  let total = 0;
  for (;;) {
    const { done, value } = await reader.read();
    if (done) break;
    total += value.length;
    if (total > maxBytes) {
      await reader.cancel();
      throw tooLarge(maxBytes);
    }
    pieces.push(value);
  }
  if (pieces.length === 1 && pieces[0]) return pieces[0];
  const whole = new Uint8Array(total);
  let at = 0;
  for (const piece of pieces) {
    whole.set(piece, at);
    at += piece.length;
  }
  return whole;
}
