// The one place where Elysia is spoken: routes are mounted closed, each behind the access that its row names.
import { createHash, timingSafeEqual } from "node:crypto";
import { Elysia } from "elysia";
import type { ApiKey } from "../core/exchange";
import { Failure } from "../core/failure";
import type { Secret } from "../core/secret";
import { presentKey } from "../gateway/accept";
import { verifyKey } from "../gateway/authenticate";
import { requireAddress } from "../gateway/caller-address";
import { failureResponse } from "./errors";
import { readJson } from "./read-json";
import { type House, ROUTES, type Route, type RouteCall } from "./routes";

export interface AppOptions {
  /** undefined: nobody is an administrator over the network. */
  adminKey: Secret | undefined;
  /** The local socket: whoever may open it is the operator. */
  trusted: boolean;
}

/** A web-standard handler: Request → Response. Never throws. */
export function openApp(house: House, options: AppOptions): (request: Request) => Promise<Response> {
  const app = new Elysia({ precompile: true });
  for (const route of ROUTES) {
    // biome-ignore lint/complexity/useArrowFunction: Elysia reads the handler's text; the parameter stays one plain name.
    const mounted = function (context: { request: Request; params?: Record<string, string> }) {
      return handle(route, context.request, context.params ?? {}, house, options);
    };
    app.route(route.method, route.path, mounted, { parse: "none" });
  }
  app.all("/*", (context) => unknownUrl(context.request, house), { parse: "none" });
  // Asked for once: until it is compiled, each look at `fetch` composes the whole router again.
  const compiled = app.compile().fetch;
  const routed = async (request: Request): Promise<Response> => compiled(request);
  // The line's doors have fixed paths: most of all calls find theirs here and need no router's context.
  const doors = new Map(ROUTES.filter((route) => route.access === "line").map((route) => [route.path, route]));
  return (request) => {
    const door = doors.get(pathOf(request.url));
    return door?.method === request.method ? handle(door, request, {}, house, options) : routed(request);
  };
}

/** The path of an absolute address, without its query. */
function pathOf(url: string): string {
  const start = url.indexOf("/", 8);
  const query = url.indexOf("?", start);
  return url.slice(start, query === -1 ? undefined : query);
}

async function handle(
  route: Route,
  request: Request,
  params: Record<string, string>,
  house: House,
  options: AppOptions,
): Promise<Response> {
  // The line names, times and answers its own calls.
  const requestId = route.access === "line" ? "" : house.ports.ids.requestId();
  try {
    const call: RouteCall = {
      request,
      get url() {
        return new URL(request.url);
      },
      params,
      requestId,
      key: admitted(route, request, house, options),
      json: () => readJson(request, house.ports),
    };
    const answer = await route.handle(call, house);
    return answer instanceof Response ? answer : jsonResponse(answer, requestId);
  } catch (thrown) {
    return failureResponse(thrown, requestId, house.ports);
  }
}

function admitted(route: Route, request: Request, house: House, options: AppOptions): RouteCall["key"] {
  switch (route.access) {
    case "public":
    case "line":
      return undefined;
    case "key":
      return presentedKey(request, house);
    case "admin":
      if (!options.trusted) requireAdmin(request, options.adminKey);
      return undefined;
    case "reader":
      return options.trusted || presentsAdminKey(request, options.adminKey) ? undefined : readingKey(request, house);
  }
}

function presentedKey(request: Request, house: House): ApiKey {
  const key = verifyKey(presentKey(request.headers, house.ports.settings), house.ports);
  requireAddress(key, request);
  return key;
}

function readingKey(request: Request, house: House): ApiKey {
  const key = presentedKey(request, house);
  if (key.policy.role !== "read") throw new Failure("invalid_api_key", "This route takes the admin key, or a key of role read.");
  return key;
}

function presentsAdminKey(request: Request, adminKey: Secret | undefined): boolean {
  const presented = bearerOf(request);
  return adminKey !== undefined && presented !== undefined && sameText(presented, adminKey.reveal());
}

const bearerOf = (request: Request): string | undefined => /^Bearer +(\S+)$/i.exec(request.headers.get("authorization") ?? "")?.[1];

function requireAdmin(request: Request, adminKey: Secret | undefined): void {
  if (adminKey === undefined) {
    throw new Failure(
      "invalid_api_key",
      "No admin key is set: start the gateway with TOLLWAY_ADMIN_KEY, or use its command line on this machine.",
    );
  }
  if (!presentsAdminKey(request, adminKey)) {
    throw new Failure("invalid_api_key", 'This route takes the admin key as "Authorization: Bearer …".');
  }
}

/** Hashes of equal length are compared, so that neither content nor length shows in the time taken. */
const sameText = (a: string, b: string): boolean =>
  timingSafeEqual(createHash("sha256").update(a).digest(), createHash("sha256").update(b).digest());

const jsonResponse = (body: object, requestId: string): Response =>
  new Response(JSON.stringify(body), {
    headers: { "content-type": "application/json", "x-request-id": requestId, "cache-control": "no-store" },
  });

function unknownUrl(request: Request, house: House): Response {
  const { pathname } = new URL(request.url);
  const failure = new Failure("unknown_url", `Unknown request URL: ${request.method} ${pathname.slice(0, 256)}`);
  return failureResponse(failure, house.ports.ids.requestId(), house.ports);
}
