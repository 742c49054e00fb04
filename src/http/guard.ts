// What is refused before any route is looked at: hosts and paths that two readers could take for different things.
import { Failure } from "../core/failure";
import type { Ports } from "../core/ports";
import { rememberAddress } from "../gateway/caller-address";
import { failureResponse } from "./errors";

/** One host name or address, and a port. Two Host headers arrive joined with a comma and do not pass. */
const HOST = /^(?:[a-z0-9_](?:[a-z0-9_.-]{0,252})|\[[0-9a-f:.]+\])(?::\d{1,5})?$/i;
const TRICKY = /%2f|%5c|%00|%2e|;|\\/i;
/** Model ids hold slashes ("vendor/model"), and clients escape them. */
const MODELS = "/v1/models/";
/** Elysia looks for the path from the eleventh character of the address on: a shorter host would shift it. */
const SAFE_ORIGIN = "http://gateway.invalid";

/** Wraps a handler. Throws nothing. */
export function guarded(
  handle: (request: Request) => Promise<Response>,
  ports: Ports,
): (request: Request, from?: () => string | undefined) => Promise<Response> {
  return (request, from) => {
    const refusal = refusalOf(request);
    if (refusal) return Promise.resolve(failureResponse(refusal, ports.ids.requestId(), ports));
    const at = request.url.indexOf("/", 8);
    // Anthropic's SDKs put /v1 behind a base URL that has it already.
    const plain = request.url.startsWith("/v1/v1/", at)
      ? new Request(SAFE_ORIGIN + request.url.slice(at + "/v1".length), request)
      : at >= 11
        ? request
        : new Request(SAFE_ORIGIN + request.url.slice(at), request);
    rememberAddress(plain, from);
    return handle(plain);
  };
}

function refusalOf(request: Request): Failure | undefined {
  const host = request.headers.get("host");
  if (host !== null && !HOST.test(host)) return new Failure("invalid_value", "The Host header is not one host name.", { param: "host" });
  const start = request.url.indexOf("/", 8);
  const query = request.url.indexOf("?", start);
  const path = request.url.slice(start, query === -1 ? undefined : query);
  const looked = path.startsWith(MODELS) ? path.slice(MODELS.length).replace(/%2f/gi, "") : path;
  if (TRICKY.test(looked)) return new Failure("unknown_url", "The path holds an escape that no route of this gateway has.");
  return undefined;
}
