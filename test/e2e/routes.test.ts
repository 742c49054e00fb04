// Who may use which route, generated from the list that the routes are mounted from: a new route is in this test before it is served.
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { type Access, ROUTES, type Route } from "../../src/http/routes";
import { ADMIN_KEY, type RunningHouse, startHouse } from "./house";

type Caller = "nobody" | "garbage" | "unknown" | "test key" | "live key" | "revoked key" | "admin";
const CALLERS: readonly Caller[] = ["nobody", "garbage", "unknown", "test key", "live key", "revoked key", "admin"];

/** What the door says before anything else: 401, 403 or "in" (whatever the route itself then answers). */
const MAY: Readonly<Record<Access, Readonly<Record<Caller, 401 | 403 | "in">>>> = {
  public: { nobody: "in", garbage: "in", unknown: "in", "test key": "in", "live key": "in", "revoked key": "in", admin: "in" },
  line: { nobody: 401, garbage: 401, unknown: 401, "test key": "in", "live key": "in", "revoked key": 403, admin: 401 },
  key: { nobody: 401, garbage: 401, unknown: 401, "test key": "in", "live key": "in", "revoked key": 403, admin: 401 },
  reader: { nobody: 401, garbage: 401, unknown: 401, "test key": 401, "live key": 401, "revoked key": 403, admin: "in" },
  admin: { nobody: 401, garbage: 401, unknown: 401, "test key": 401, "live key": 401, "revoked key": 401, admin: "in" },
};

let house: RunningHouse;
let strange: RunningHouse;
const tokens: Partial<Record<Caller, string>> = { garbage: "not-a-key", admin: ADMIN_KEY };

beforeAll(async () => {
  house = await startHouse();
  strange = await startHouse();
  tokens["unknown"] = await strange.key();
  tokens["test key"] = await house.key("test");
  tokens["live key"] = await house.key("live");
  const revoked = await house.key("live");
  tokens["revoked key"] = revoked;
  const id = `key_${revoked.slice("tw_live_".length, "tw_live_".length + 12)}`;
  const response = await fetch(`${house.url}/admin/v1/keys/${id}`, { method: "DELETE", headers: { authorization: `Bearer ${ADMIN_KEY}` } });
  expect(response.status).toBe(200);
});
afterAll(async () => {
  await house.close();
  await strange.close();
});

interface Told {
  error: { type: string; code?: string; tollway?: { request_id: string } };
  tollway?: { code: string; request_id: string };
}

/** The path with something in the place of each parameter. */
const pathOf = (route: Route): string => route.path.replace(/:\w+|\*/g, "something");
const named = (route: Route): string => `${route.method} ${route.path}`;

const HEADERS: readonly [name: string, write: (token: string) => Record<string, string>][] = [
  ["authorization", (token) => ({ authorization: `Bearer ${token}` })],
  ["x-api-key", (token) => ({ "x-api-key": token })],
  ["x-goog-api-key", (token) => ({ "x-goog-api-key": token })],
];

function knock(route: Route, caller: Caller, write = HEADERS[0]?.[1]): Promise<Response> {
  const token = tokens[caller];
  const headers = token === undefined || !write ? {} : write(token);
  return fetch(house.url + pathOf(route), {
    method: route.method,
    headers: { "content-type": "application/json", ...headers },
    ...(route.method === "POST" ? { body: "{}" } : {}),
  });
}

describe("the list of routes", () => {
  test("names each once", () => {
    expect(new Set(ROUTES.map(named)).size).toBe(ROUTES.length);
    expect(ROUTES.length).toBeGreaterThan(10);
  });

  test("leaves four open, and no other", () => {
    expect(ROUTES.filter((route) => route.access === "public").map(named)).toEqual(["HEAD /", "GET /health", "GET /livez", "GET /readyz"]);
  });

  test("closes everything below /admin to all but the administrator, and nothing else is the administrator's", () => {
    for (const route of ROUTES)
      expect({ route: named(route), admin: route.access === "admin" }).toEqual({
        route: named(route),
        admin: route.path.startsWith("/admin/"),
      });
  });
});

describe.each(ROUTES.map((route) => [named(route), route] as const))("%s", (_, route) => {
  test.each(CALLERS)("for %s", async (caller) => {
    const response = await knock(route, caller);
    const expected = MAY[route.access][caller];
    const text = await response.text();
    if (expected === "in") {
      expect([401, 403]).not.toContain(response.status);
      expect(response.status).toBeLessThan(500);
      return;
    }
    expect(response.status).toBe(expected);
    // Messages has Anthropic's shape, in which our own object stands beside the error.
    const { error, tollway } = JSON.parse(text) as Told;
    const { code, request_id: requestId } = tollway ?? { code: error.code, request_id: error.tollway?.request_id };
    expect({ type: error.type, code }).toEqual(
      expected === 401 ? { type: "authentication_error", code: "invalid_api_key" } : { type: "permission_error", code: "key_disabled" },
    );
    expect(response.headers.get("x-request-id")).toBe(requestId ?? "");
    const token = tokens[caller];
    if (token !== undefined) expect(text).not.toContain(token);
  });

  test("has no other method", async () => {
    for (const method of ["GET", "POST", "PUT", "PATCH", "DELETE"].filter(
      (one) => !ROUTES.some((other) => other.path === route.path && other.method === one),
    )) {
      const response = await fetch(house.url + pathOf(route), { method, headers: { authorization: `Bearer ${ADMIN_KEY}` } });
      expect({ method, status: response.status }).toEqual({ method, status: 404 });
    }
  });

  test("answers HEAD no wider than GET", async () => {
    const get = ROUTES.find((other) => other.path === route.path && (other.method === "GET" || other.method === "HEAD"));
    const response = await fetch(house.url + pathOf(route), { method: "HEAD" });
    expect(response.status).toBe(get === undefined ? 404 : get.access === "public" ? 200 : 401);
  });
});

describe("the admin key", () => {
  const admin = ROUTES.filter((route) => route.access === "admin");

  test.each(HEADERS.slice(1))("is taken as a Bearer token alone, not in %s", async (_, write) => {
    for (const route of admin) expect((await knock(route, "admin", write)).status).toBe(401);
  });

  test.each(["", " ", ADMIN_KEY.slice(0, -1), `${ADMIN_KEY}x`, ADMIN_KEY.toUpperCase(), `x${ADMIN_KEY}`])("is not %p", async (token) => {
    for (const route of admin) {
      const response = await fetch(house.url + pathOf(route), { method: route.method, headers: { authorization: `Bearer ${token}` } });
      expect(response.status).toBe(401);
    }
  });

  test("opens no route of a caller", async () => {
    for (const route of ROUTES.filter((one) => one.access === "key" || one.access === "line")) {
      for (const [, write] of HEADERS) expect((await knock(route, "admin", write)).status).toBe(401);
    }
  });
});

describe("an address that no route has", () => {
  test.each([
    "/",
    "/admin",
    "/admin/",
    "/admin/v1",
    "/admin/v1/",
    "/admin/v1/keys/a/b",
    "/ADMIN/V1/KEYS",
    "/v1//models",
    "/v1/account/../../admin/v1/nothing",
    "/v1/accounts",
    "/healthz",
    "/.env",
    "/metrics",
  ])("%s is 404 for everybody, in one shape", async (path) => {
    for (const token of [undefined, tokens["live key"], ADMIN_KEY]) {
      const response = await fetch(house.url + path, token === undefined ? {} : { headers: { authorization: `Bearer ${token}` } });
      expect(response.status).toBe(404);
      expect((await response.json()) as object).toMatchObject({ error: { code: "unknown_url", type: "invalid_request_error" } });
    }
  });

  test.each([
    "/v1/../admin/v1/keys",
    "/v1/models/../../admin/v1/keys",
    "/v1/%2e%2e/admin/v1/keys",
    "//admin/v1/keys",
    "/admin/v1/keys/",
    "/admin//v1/keys",
    "/admin/v1/keys?access=public",
    "/health/../admin/v1/keys",
    "/v1/models/..%2f..%2fadmin%2fv1%2fkeys",
  ])("%s is as closed as what it may mean", async (path) => {
    for (const token of [undefined, tokens["live key"], tokens["garbage"]]) {
      const response = await fetch(house.url + path, token === undefined ? {} : { headers: { authorization: `Bearer ${token}` } });
      expect([401, 404]).toContain(response.status);
      expect(await response.text()).not.toContain("key_");
    }
  });
});
