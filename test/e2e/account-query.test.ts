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
