// The network towards operators' own endpoints: each name is resolved, every address of it is checked, and the connection goes to an
// address that was checked, so that a name which answers differently the second time gets nowhere.
import { isIP } from "node:net";
import { Webhook } from "standardwebhooks";
import { type Notice, type NoticeAnswer, type Notify, NotifyError } from "../core/notify";
import type { Clock } from "../core/ports";
import { bareHost, isPublicAddress, type Resolve, systemResolve } from "./address-guard";
import { isNeverConnected } from "./dial";

export interface NotifyOptions {
  /** Endpoints may have addresses of this house (TOLLWAY_ALLOW_PRIVATE_UPSTREAMS). */
  allowPrivate: boolean;
  clock: Clock;
  /** From the first look-up to the answer's head. Default 15 s. */
  timeoutMs?: number | undefined;
  /** Default: the system's resolver. */
  resolve?: Resolve | undefined;
}

const TIMEOUT_MS = 15_000;
const MAX_BODY_BYTES = 256 * 1024;
/** Addresses of one name that are tried, one after another. */
const MAX_ADDRESSES = 4;
const USER_AGENT = "Tollway-Webhooks/1";

export function openNotify({ allowPrivate, clock, timeoutMs = TIMEOUT_MS, resolve = systemResolve }: NotifyOptions): Notify {
  return {
    async check(text) {
      await checkedAddresses(httpUrl(text), allowPrivate, resolve);
    },
    async post(notice) {
      if (Buffer.byteLength(notice.body) > MAX_BODY_BYTES) throw new NotifyError("broken", `The message is over ${MAX_BODY_BYTES} bytes`);
      const url = httpUrl(notice.url);
      const deadline = new AbortController();
      const cancel = clock.after(timeoutMs, () => deadline.abort());
      try {
        return await Promise.race([deliver(url, notice, allowPrivate, resolve, deadline.signal), aborted(deadline.signal)]);
      } catch (thrown) {
        if (deadline.signal.aborted) throw new NotifyError("timeout", `No answer within ${timeoutMs} ms`, thrown);
        throw thrown;
      } finally {
        cancel();
      }
    },
  };
}

/** A look-up cannot be stopped, only left. */
const aborted = (signal: AbortSignal): Promise<never> =>
  new Promise((_, reject) => signal.addEventListener("abort", () => reject(signal.reason), { once: true }));

async function deliver(url: URL, notice: Notice, allowPrivate: boolean, resolve: Resolve, signal: AbortSignal): Promise<NoticeAnswer> {
  const addresses = await checkedAddresses(url, allowPrivate, resolve);
  const headers = headersOf(url, notice);
  let refused: unknown;
  for (const address of addresses.slice(0, MAX_ADDRESSES)) {
    try {
      return await send(url, address, { method: "POST", headers, body: notice.body, redirect: "manual", keepalive: false, signal });
    } catch (cause) {
      if (signal.aborted) throw cause;
      // Something may have been sent: another address would get it a second time.
      if (!isNeverConnected(cause)) throw new NotifyError("broken", "The connection broke before an answer came", cause);
      refused = cause;
    }
  }
  throw new NotifyError("unreachable", `${url.hostname} could not be reached`, refused);
}

async function send(url: URL, address: string, init: RequestInit): Promise<NoticeAnswer> {
  const target = new URL(url);
  target.hostname = isIP(address) === 6 ? `[${address}]` : address;
  // Setting what is no host name changes nothing, and the name would be resolved again.
  if (isIP(bareHost(target)) === 0) throw new NotifyError("address", `${address} is no address`);
  // The certificate is the name's, not the address's.
  const tls = isIP(bareHost(url)) === 0 ? { tls: { serverName: url.hostname } } : {};
  const response = await fetch(target, { ...init, ...tls });
  const answer = { status: response.status, retryAfterMs: retryAfterOf(response.headers.get("retry-after")) };
  // What an endpoint says beside its status is of no use to anybody here, and could be somebody's secret.
  await response.body?.cancel();
  return answer;
}

const headersOf = (url: URL, { body, sign: { id, at, secrets } }: Notice): Record<string, string> => ({
  host: url.host,
  "content-type": "application/json",
  "user-agent": USER_AGENT,
  "webhook-id": id,
  "webhook-timestamp": String(Math.floor(at / 1000)),
  "webhook-signature": secrets.map((secret) => new Webhook(secret.reveal()).sign(id, new Date(at), body)).join(" "),
});

/** Seconds alone: a date would need the two clocks to agree. */
const retryAfterOf = (text: string | null): number | undefined =>
  text !== null && /^\d{1,9}$/.test(text) ? Number(text) * 1000 : undefined;

function httpUrl(text: string): URL {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url?.protocol !== "https:" && url?.protocol !== "http:") throw new NotifyError("address", "That is no http or https address");
  return url;
}

async function checkedAddresses(url: URL, allowPrivate: boolean, resolve: Resolve): Promise<readonly string[]> {
  const host = bareHost(url);
  const addresses = isIP(host) === 0 ? await resolved(host, resolve) : [host];
  const inside = allowPrivate ? undefined : addresses.find((address) => !isPublicAddress(address));
  if (inside !== undefined) {
    throw new NotifyError(
      "address",
      `${host} has the address ${inside}, which is not public (TOLLWAY_ALLOW_PRIVATE_UPSTREAMS=1 allows it)`,
    );
  }
  return addresses;
}

async function resolved(host: string, resolve: Resolve): Promise<readonly string[]> {
  try {
    const addresses = await resolve(host);
    if (addresses.length > 0) return addresses;
  } catch (cause) {
    throw new NotifyError("unreachable", `${host} does not resolve`, cause);
  }
  throw new NotifyError("unreachable", `${host} does not resolve`);
}
