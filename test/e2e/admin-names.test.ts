// What administrators write is looked up as it was stored, and stored as it was checked; who leaves an export leaves no error behind.
import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { type AdminDoor, adminDoor } from "./admin-door";
import { ADMIN_KEY, type RunningHouse, startHouse } from "./house";

let house: RunningHouse;
let admin: AdminDoor;

beforeEach(async () => {
  house = await startHouse();
  admin = adminDoor(house);
});
afterEach(() => house.close());

/** "é" as one character, and as an "e" with an accent after it. */
const COMPOSED = "Caf\u00e9";
const WRITTEN = " Cafe\u0301 ";

describe("a name", () => {
  test("finds what was stored under it, however it is composed and whatever stands around it", async () => {
    const organization = await admin.post("/organizations", { name: WRITTEN });
    expect(organization["name"]).toBe(COMPOSED);
    for (const asked of [WRITTEN, COMPOSED]) {
      const query = `?organization=${encodeURIComponent(asked)}`;
      expect(await admin.get(`/organizations/${organization["id"]}${query}`)).toMatchObject({ id: organization["id"] });
      expect(await admin.get(`/teams${query}`)).toMatchObject({ object: "list" });
    }
    const team = await admin.post("/teams", { name: WRITTEN });
    const project = await admin.post("/projects", { name: WRITTEN, team: WRITTEN });
    expect(project["team"]).toBe(team["id"]);
    const key = await admin.post("/keys", { name: WRITTEN, project: WRITTEN });
    expect(key["project"]).toBe(project["id"]);
    for (const [scope, id] of [
      [`team:${WRITTEN}`, team["id"]],
      [`project:${WRITTEN}`, project["id"]],
      [`key:${WRITTEN}`, key["id"]],
    ] as const) {
      const budget = await admin.post("/budgets", { scope, limit_usd: "1", window: "day" });
      expect(budget["scope"]).toBe(`${scope.split(":")[0]}:${id}`);
    }
  });
});

describe("control characters", () => {
  test.each(["https://llm.example/v1\u0000x", "https://llm.exa\tmple/v1", "https://llm.example/\nv1", "https://llm.example/v1\u007f"])(
    "are refused in a provider's address: %j",
    async (baseUrl) => {
      const body = { provider: "openai", secret: "sk-0123456789abcdef", base_url: baseUrl };
      expect(await admin.refused("POST", "/credentials", body)).toMatchObject({ status: 400, param: "base_url" });
      expect(house.ports.directory.list("credential", "default")).toEqual([]);
    },
  );

  test.each(["a\u0000b", "a\nb", "\u001b[31m"])("are refused in what a key's metadata say: %j", async (value) => {
    expect(await admin.refused("POST", "/keys", { name: "k", metadata: { note: value } })).toMatchObject({
      status: 400,
      param: "metadata.note",
    });
  });
});

test("a provider's address is stored as it was parsed and checked", async () => {
  const secret = "sk-0123456789abcdef";
  const made = await admin.post("/credentials", { provider: "openai", secret, base_url: "HTTP://LOCALHOST:80/a/../v1//" });
  expect(made["base_url"]).toBe("http://localhost/v1");
});

test("who leaves an export in the middle leaves no error in the log", async () => {
  // The caller is gone while a page of rows is being read.
  let go = (): void => {};
  let reading = 0;
  const slow = await startHouse({
    adapt: (ports) => ({
      ...ports,
      rollups: {
        ...ports.rollups,
        usage: (asked) => ports.rollups.usage(asked),
        async rows() {
          reading++;
          await new Promise<void>((resolve) => {
            go = resolve;
          });
          return { data: [], nextCursor: undefined };
        },
      },
    }),
  });
  const leaving = new AbortController();
  const headers = { authorization: `Bearer ${ADMIN_KEY}` };
  const response = await fetch(`${slow.url}/admin/v1/export`, { headers, signal: leaving.signal });
  const body = response.body?.getReader();
  await body?.read();
  const rest = body?.read().catch(() => undefined);
  while (reading === 0) await Bun.sleep(1);
  leaving.abort();
  await rest;
  await Bun.sleep(50);
  // What is read now is for nobody any more.
  go();
  await Bun.sleep(50);
  expect(JSON.stringify(slow.log.lines)).not.toContain("export.broken_off");
  await slow.close();
});
