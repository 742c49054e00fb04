// Where a request came from: known by the socket, asked for only where a key has a list of addresses. It travels beside the request,
// because the routes' handlers are given nothing else.
import type { ApiKey } from "../core/exchange";
import { Failure } from "../core/failure";
import { isAllowedAddress } from "../policy/access";

const ADDRESSES = new WeakMap<Request, () => string | undefined>();

/** `ask` is called once at most, while the request is being answered. */
export function rememberAddress(request: Request, ask: (() => string | undefined) | undefined): void {
  if (ask) ADDRESSES.set(request, ask);
}

/** Throws 403 `ip_not_allowed`. An address that is not known is in no list: the local socket has none. */
export function requireAddress(key: ApiKey, request: Request): void {
  const { allowedIps } = key.policy;
  if (allowedIps === undefined) return;
  const address = ADDRESSES.get(request)?.();
  if (isAllowedAddress(allowedIps, address)) return;
  throw new Failure("ip_not_allowed", `The key "${key.name}" may not be used from ${address ?? "an unknown address"}.`);
}
