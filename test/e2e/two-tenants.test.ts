// One organization's ids in another's hands: every route of the list, with every id that exists, by every kind of caller. A new route is
// in this test before it is served.
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { nanoUsd } from "../../src/core/money";
import type { RecordKind } from "../../src/core/records";
import { ROUTES, type Route } from "../../src/http/routes";
import { type AccountHouse, type Minted, startAccountHouse } from "./account-house";
import { ADMIN_KEY } from "./house";

const KINDS: readonly RecordKind[] = ["team", "project", "budget", "scope-limits", "credential", "webhook", "credit-account", "run"];

/** Runs are asked for by their names. */
const shownId = ({ id }: { id: string }): string => id.split("/").at(-1) ?? id;

interface Tenant {
  organization: string;
  caller: Minted;
  reader: Minted;
  /** Of everything that the organization has. */
  ids: readonly string[];
}

let house: AccountHouse;
let owner: Tenant;
let stranger: Tenant;

/** One of everything. */
async function tenant(name: string): Promise<Tenant> {
  const organization = (await house.store.organizations.create(name)).id;
  const made = { organizationId: organization, createdAt: house.clock.now() };
  const { directory } = house.ports;
  const id = (kind: string) => `${kind}_${name}`;
  await directory.put("team", { ...made, id: id("team"), name: `${name} team` });
  await directory.put("project", { ...made, id: id("proj"), name: `${name} project`, teamId: id("team") });
  const caller = await house.mint(`${name} caller`, { projectId: id("proj") }, organization);
  const reader = await house.mint(`${name} reader`, { role: "read" }, organization);
  const scope = { kind: "project", id: id("proj") } as const;
  for (const unit of ["month", "lifetime"] as const) {
    const window = { unit, rolling: false, zone: "UTC" };
    await house.ports.budgets.put({ ...made, id: id(`bdg_${unit}`), scope, limit: nanoUsd(10n ** 9n), window, hard: true, thresholds: [] });
  }
  await directory.put("scope-limits", { ...made, id: id("lim"), scope, requestsPerMinute: 1_000 });
  await directory.put("credit-account", { ...made, id: id("cra"), scope: { kind: "key", id: caller.key.id }, markupBasisPoints: 0 });
  await directory.put("credential", {
    ...made,
    id: id("cred"),
    name: id("cred"),
    provider: "openai",
    lastFour: "1234",
    masterKeyId: "none",
    sealed: "",
  });
  await directory.put("webhook", {
    ...made,
    id: id("whk"),
    url: "http://127.0.0.1:9/",
    masterKeyId: "none",
    sealedSecret: "",
    events: [],
    enabled: false,
  });
  await house.ports.runs.open({ ...made, mode: "live", name: id("run"), keyId: caller.key.id });
  const delivery = {
    id: id("msg"),
    webhookId: id("whk"),
    event: "webhook.test",
    body: "{}",
    status: "failed",
    attempts: 1,
    at: 0,
  } as const;
  await house.ports.outbox.put({ ...delivery, organizationId: organization });
  const request = await house.row(caller.key, { run: id("run"), decision: '{"asked":"auto","chosen":[],"excluded":[]}' });
  const records = KINDS.flatMap((kind) => directory.list(kind, organization).map(shownId));
  return { organization, caller, reader, ids: [caller.key.id, reader.key.id, request, delivery.id, ...records] };
}

beforeAll(async () => {
  house = await startAccountHouse();
  owner = await tenant("owner");
  stranger = await tenant("stranger");
});
afterAll(() => house.close());

/** Models are everybody's; organizations are the administrator's, who sees them all. */
const SHARED = new Set(["/v1/models/*", "/admin/v1/organizations", "/admin/v1/organizations/:id"]);
/** Ids that stand in the query in place of the path. */
const IN_QUERY: Readonly<Record<string, string>> = { "/v1/generation": "id" };

const named = (route: Route): string => `${route.method} ${route.path}`;
const withIds = ROUTES.filter((route) => !SHARED.has(route.path) && (/:\w+|\*/.test(route.path) || route.path in IN_QUERY));
const withoutIds = ROUTES.filter((route) => !/:\w+|\*/.test(route.path) && !(route.path in IN_QUERY));
const reading = withoutIds.filter(
  (route) => !SHARED.has(route.path) && route.method === "GET" && route.access !== "public" && route.access !== "line",
);

/** The route's address with these ids, in the order of its parameters. */
function addressOf(route: Route, ids: readonly string[]): string {
  let at = 0;
  const path = route.path.replace(/:\w+|\*/g, () => encodeURIComponent(ids[at++] ?? ""));
  const query = IN_QUERY[route.path];
  return query === undefined ? path : `${path}?${query}=${encodeURIComponent(ids[0] ?? "")}`;
}

/** Every filling of the route's places with these ids. */
function fillings(route: Route, ids: readonly string[]): string[][] {
  const places = Math.max(1, (route.path.match(/:\w+|\*/g) ?? []).length);
  let all: string[][] = [[]];
  for (let i = 0; i < places; i++) all = all.flatMap((some) => ids.map((id) => [...some, id]));
  return all;
}

type Who = "caller" | "reader" | "administrator";

/** `in`: the door lets such a caller pass, and the route must say 404. */
const MAY: Readonly<Record<Route["access"], Readonly<Record<Who, "in" | "out">>>> = {
  public: { caller: "in", reader: "in", administrator: "in" },
  line: { caller: "in", reader: "in", administrator: "out" },
  key: { caller: "in", reader: "in", administrator: "out" },
  reader: { caller: "out", reader: "in", administrator: "in" },
  admin: { caller: "out", reader: "out", administrator: "in" },
};

/** As `who` of the tenant; an administrator names the organization in every way there is. */
function ask(route: Route, address: string, who: Who, as: Tenant, body: object = {}): Promise<Response> {
  const token = who === "administrator" ? ADMIN_KEY : who === "reader" ? as.reader.plain : as.caller.plain;
  const organization =
    who === "administrator" && route.access === "admin" ? `${address.includes("?") ? "&" : "?"}organization=${as.organization}` : "";
  return fetch(house.url + address + organization, {
    method: route.method,
    headers: {
      authorization: `Bearer ${token}`,
      "content-type": "application/json",
      ...(who === "administrator" && route.access === "reader" ? { "openai-organization": as.organization } : {}),
    },
    ...(route.method === "POST" || route.method === "PATCH" ? { body: JSON.stringify(body) } : {}),
  });
}

const WHO: readonly Who[] = ["caller", "reader", "administrator"];

test("there are routes with ids to crawl, and ids of every kind", () => {
  expect(withIds.length).toBeGreaterThan(10);
  for (const kind of KINDS) expect(house.ports.directory.list(kind, owner.organization)).not.toBeEmpty();
});

describe.each(withIds.map((route) => [named(route), route] as const))("%s", (_, route) => {
  test("says 404 to every id of another organization", async () => {
    const foreign = fillings(route, [...owner.ids, ...stranger.ids]).filter((ids) => ids.some((id) => owner.ids.includes(id)));
    for (const who of WHO) {
      // A key that reads changes nothing, not even its own: it is told so first.
      const shut = MAY[route.access][who] === "out" || (who === "reader" && route.access === "reader" && route.method !== "GET");
      for (const ids of foreign) {
        const response = await ask(route, addressOf(route, ids), who, stranger);
        const text = await response.text();
        expect({ who, ids, status: response.status }).toEqual({ who, ids, status: shut ? 401 : 404 });
        expect(text).not.toContain("owner team");
        expect(text).not.toContain("owner project");
      }
    }
  });
});

describe.each(reading.map((route) => [named(route), route] as const))("%s", (_, route) => {
  test("shows nothing of another organization", async () => {
    for (const who of WHO) {
      if (MAY[route.access][who] === "out") continue;
      const needed = /\/(usage\/|costs)/.test(route.path) ? `?start_time=1790000000&group_by[]=project_id&group_by[]=api_key_id` : "";
      const text = await (await ask(route, route.path + needed, who, stranger)).text();
      for (const id of [...owner.ids, owner.organization, "owner caller"])
        expect({ who, id, shown: text.includes(id) }).toEqual({ who, id, shown: false });
    }
  });
});

describe("an id of another organization in a question", () => {
  test.each(["key", "team", "project", "run"])("as a filter by %s finds nothing", async (dimension) => {
    for (const id of owner.ids) {
      for (const path of ["/v1/usage", "/v1/audit"]) {
        const found = await house.read<{ data: unknown[] }>(stranger.reader.plain, `${path}?${dimension}=${id}`);
        expect({ id, path, data: found.data }).toEqual({ id, path, data: [] });
      }
    }
  });

  const BODIES: readonly (readonly [path: string, body: (id: string) => object])[] = [
    ["/admin/v1/budgets", (id) => ({ scope: `key:${id}`, limit_usd: 1, window: "day" })],
    ["/admin/v1/budgets", (id) => ({ scope: `project:${id}`, limit_usd: 1, window: "day" })],
    ["/admin/v1/budgets", (id) => ({ scope: `team:${id}`, limit_usd: 1, window: "day" })],
    ["/admin/v1/limits", (id) => ({ scope: `project:${id}`, concurrency: 1 })],
    ["/admin/v1/credits/accounts", (id) => ({ scope: `project:${id}`, markup_percent: 0 })],
    ["/admin/v1/keys", (id) => ({ name: "thief", project: id })],
    ["/admin/v1/projects", (id) => ({ name: "thief", team: id })],
  ];
  test.each(BODIES)("in a body for %s is 404", async (path, body) => {
    const route = ROUTES.find((one) => one.path === path && one.method === "POST");
    if (!route) throw new Error(`there is no route ${path}`);
    for (const id of owner.ids) {
      const response = await ask(route, path, "administrator", stranger, body(id));
      expect({ id, status: response.status }).toEqual({ id, status: 404 });
    }
  });
});

describe("after all that", () => {
  test("nothing of the owner's has changed", async () => {
    expect(KINDS.flatMap((kind) => house.ports.directory.list(kind, owner.organization).map(shownId))).toEqual(owner.ids.slice(4));
    expect((await house.get(owner.caller.plain, "/v1/account")).status).toBe(200);
    expect((await house.get(owner.reader.plain, "/v1/account")).status).toBe(200);
    expect((await house.ports.keys.list(owner.organization, { limit: 10 })).data.length).toBe(2);
  });

  // Else the crawl would prove nothing: a route whose ids are of no kind above must be given one.
  test.each(
    [...withIds]
      .sort((a, b) => Number(a.method === "DELETE") - Number(b.method === "DELETE"))
      .map((route) => [named(route), route] as const),
  )("%s knows one of the owner's ids", async (_, route) => {
    const statuses = new Set<number>();
    for (const who of WHO) {
      if (MAY[route.access][who] === "out") continue;
      for (const ids of fillings(route, owner.ids)) {
        const response = await ask(route, addressOf(route, ids), who, owner);
        await response.text();
        statuses.add(response.status);
      }
    }
    expect([...statuses].filter((status) => ![401, 403, 404].includes(status))).not.toBeEmpty();
  });
});
