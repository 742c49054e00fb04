// The queries of account and admin routes: what they do not know, or not so written, is refused by name and never passed over.
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { type AccountHouse, type Minted, startAccountHouse } from "./account-house";

let house: AccountHouse;
let reader: Minted;

beforeAll(async () => {
  house = await startAccountHouse();
  reader = await house.mint("reader", { role: "read" });
  await house.row((await house.mint("caller")).key);
});
afterAll(() => house.close());

interface Refusal {
  status: number;
  code: string | undefined;
  param: string | null | undefined;
}

async function asked(path: string, method = "GET"): Promise<Refusal> {
  const response = path.startsWith("/admin/") ? await house.admin(path, { method }) : await house.get(reader.plain, path);
  const { error } = (await response.json()) as { error?: { code: string; param: string | null } };
  return { status: response.status, code: error?.code, param: error?.param };
}

const AUDIT_LOGS = "/v1/organization/audit_logs";
const COMPLETIONS = "/v1/organization/usage/completions?start_time=1790000000";

describe("a parameter with brackets", () => {
  test.each([
    ["/v1/usage?key[0]=x", "key"],
    ["/v1/usage?key[a]=x", "key"],
    ["/v1/usage?from[gte]=1790000000", "from"],
    ["/v1/usage?group_by[]=model", "group_by"],
    ["/v1/audit?limit[]=1", "limit"],
    ["/v1/audit?model[][]=a", "model"],
    ["/v1/limits?user[]=ann", "user"],
    ["/v1/runs?limit[]=1", "limit"],
    ["/admin/v1/decisions?team[0]=a", "team"],
    ["/admin/v1/export?format[]=csv", "format"],
    [`${COMPLETIONS}&project_ids[0]=a`, "project_ids"],
    [`${COMPLETIONS}&limit[]=1`, "limit"],
    [`${AUDIT_LOGS}?effective_at[foo]=1`, "effective_at"],
    [`${AUDIT_LOGS}?effective_at[]=1`, "effective_at"],
    [`${AUDIT_LOGS}?effective_at=1`, "effective_at"],
    [`${AUDIT_LOGS}?event_types[gt]=1`, "event_types"],
  ])("is refused by its name where it takes none, or not these: %s", async (path, param) => {
    expect(await asked(path)).toEqual({ status: 400, code: "unsupported_parameter", param });
  });

  test.each([
    "/v1/usage?key[]=a&key[]=b&model=c&model=d",
    "/v1/audit?provider[]=openai",
    `${COMPLETIONS}&project_ids[]=a&project_ids[]=b&group_by[]=model&group_by[]=project_id`,
    `${COMPLETIONS}&project_ids=a&project_ids=b&group_by=model`,
    `${AUDIT_LOGS}?effective_at[gte]=1&effective_at[lt]=1790000000&event_types[]=key.created`,
  ])("is taken where clients write it so: %s", async (path) => {
    expect((await asked(path)).status).toBe(200);
  });
});

describe("a parameter that a route does not know", () => {
  const KEY_ROUTES = ["/v1/key", "/v1/credits", "/v1/account", "/v1/audit/req_1", "/v1/generation"];
  const LISTS = [
    "keys",
    "organizations",
    "teams",
    "projects",
    "budgets",
    "limits",
    "credits",
    "credits/accounts",
    "events",
    "usage",
    "audit",
  ];
  const MORE = [
    "providers",
    "credentials",
    "credentials/x",
    "doctor",
    "webhooks",
    "webhooks/x",
    "webhooks/x/deliveries",
    "keys/x",
    "organizations/x",
  ];
  const POSTS = [
    "keys",
    "keys/x/rotate",
    "organizations",
    "teams",
    "apply",
    "credits",
    "credentials",
    "vault/rekey",
    "webhooks",
    "webhooks/x/test",
  ];
  const DELETES = ["keys/x", "teams/x", "credentials/x", "webhooks/x"];
  const paths: [string, string][] = [
    ...KEY_ROUTES.map((path): [string, string] => ["GET", path]),
    ...[...LISTS, ...MORE].map((path): [string, string] => ["GET", `/admin/v1/${path}`]),
    ...POSTS.map((path): [string, string] => ["POST", `/admin/v1/${path}`]),
    ...DELETES.map((path): [string, string] => ["DELETE", `/admin/v1/${path}`]),
  ];
  test.each(paths)("is refused by its name: %s %s", async (method, path) => {
    expect(await asked(`${path}?organisation=B`, method)).toEqual({ status: 400, code: "unsupported_parameter", param: "organisation" });
  });

  test.each([
    ["/admin/v1/usage?organization=default&organization=b", "organization"],
    ["/admin/v1/keys?organization=default&organization=b", "organization"],
    ["/admin/v1/audit?mode=live&mode=test", "mode"],
  ])("stands once where it is known: %s", async (path, param) => {
    expect(await asked(path)).toEqual({ status: 400, code: "invalid_value", param });
  });
});

test("an organization is not there for who names another", async () => {
  await house.ports.directory.putOrganization({ id: "org_2", name: "second", status: "active", createdAt: 1 });
  for (const method of ["GET", "PATCH"]) {
    for (const query of ["?organization=default", "?organization=nobody"])
      expect(
        (await house.admin(`/admin/v1/organizations/org_2${query}`, { method, ...(method === "GET" ? {} : { body: "{}" }) })).status,
      ).toBe(404);
    for (const query of ["", "?organization=org_2", "?organization=second"])
      expect(
        (await house.admin(`/admin/v1/organizations/org_2${query}`, { method, ...(method === "GET" ? {} : { body: "{}" }) })).status,
      ).toBe(200);
  }
});

describe("a parameter that stands twice", () => {
  test.each([
    ["/v1/usage?from=2026-11-01&from=2026-11-02", "from"],
    ["/v1/usage?group_by=model&group_by=key", "group_by"],
    ["/v1/audit?limit=1&limit=2", "limit"],
    ["/admin/v1/export?format=csv&format=jsonl", "format"],
    [`${COMPLETIONS}&start_time=1780000000`, "start_time"],
    [`${AUDIT_LOGS}?effective_at[gt]=1&effective_at[gt]=2`, "effective_at"],
  ])("is refused where one is meant: %s", async (path, param) => {
    expect(await asked(path)).toEqual({ status: 400, code: "invalid_value", param });
  });
});

describe("a time", () => {
  const TIMES = ["20261123", "2026", "11/23/2026", "-1", "1", "2026-02-30", "2026-13-01", "2026-11-23T24:00", "2026-11-23T10:60:00Z"];
  const MORE = ["2026-11-23 10:00", "2026-11-23T10:00:00%2B24:00", "0026-11-01", "179000000000", "yesterday", "", "NaN"];

  test.each(["/v1/usage", "/v1/audit", "/admin/v1/usage", "/admin/v1/audit", "/admin/v1/export", "/admin/v1/decisions"])(
    "is refused by its field's name where it could be another or is none: %s",
    async (path) => {
      for (const time of [...TIMES, ...MORE]) {
        for (const param of ["from", "to"])
          expect([time, await asked(`${path}?${param}=${time}`)]).toEqual([time, { status: 400, code: "invalid_value", param }]);
      }
    },
  );

  test("is read alike as a date, a date-time, in any zone, as Unix seconds or milliseconds", async () => {
    const noon = Date.UTC(2026, 10, 23, 12);
    const calls = async (from: string) => {
      const { total } = await house.read<{ total: { requests: number } }>(reader.plain, `/v1/usage?from=${from}`);
      return total.requests;
    };
    const atNoon = [
      "2026-11-23T12:00",
      "2026-11-23T12:00:00",
      "2026-11-23T12:00:00.000Z",
      "2026-11-23T13:30%2B01:30",
      "2026-11-23T07:00-05:00",
    ];
    for (const from of ["2026-11-23", ...atNoon, String(noon / 1000), String(noon)]) expect([from, await calls(from)]).toEqual([from, 1]);
    for (const from of ["2026-11-24", "2026-11-23T13:00", "2026-11-23T12:00-01:00", String(noon / 1000 + 3600), String(noon + 3_600_000)])
      expect([from, await calls(from)]).toEqual([from, 0]);
  });

  test("at which a key ends is in UTC where no zone is said, and a day that there is", async () => {
    const make = async (expiresAt: unknown) => {
      const response = await house.admin("/admin/v1/keys", {
        method: "POST",
        body: JSON.stringify({ name: `until ${expiresAt}`, expires_at: expiresAt }),
      });
      return (await response.json()) as { expires_at?: string; error?: { param: string } };
    };
    expect((await make("2027-01-31T12:00"))["expires_at"]).toBe("2027-01-31T12:00:00.000Z");
    expect((await make("2027-01-31"))["expires_at"]).toBe("2027-01-31T00:00:00.000Z");
    for (const wrong of ["2027-02-30", "2027-02-29T00:00:00Z", "2027-01-31T25:00", "20270131", "2027"])
      expect((await make(wrong)).error?.param).toBe("expires_at");
  });

  test("from which OpenAI's buckets begin is named as OpenAI names it", async () => {
    for (const start of ["99999999999", "4000000000"]) {
      for (const route of ["usage/completions", "usage/embeddings", "costs"])
        expect(await asked(`/v1/organization/${route}?start_time=${start}`)).toEqual({
          status: 400,
          code: "invalid_value",
          param: "start_time",
        });
    }
    expect((await asked("/v1/organization/costs?start_time=1790000000&end_time=1789000000")).param).toBe("end_time");
  });
});
