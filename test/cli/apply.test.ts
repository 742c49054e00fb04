// tollway apply: a file is made so, twice is as once, and what is wrong with it is told by line and column before anything is written.
import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { readConfig } from "../../src/config";
import { ManualClock } from "../contract/manual-clock";
import { type AdminDoor, adminDoor, type Json } from "../e2e/admin-door";
import { type RunningHouse, startHouse } from "../e2e/house";
import { type CommandLine, commandLine } from "./command-line";

let house: RunningHouse;
let tollway: CommandLine;
let admin: AdminDoor;
let folder: string;
let clock: ManualClock;

beforeEach(async () => {
  clock = new ManualClock();
  house = await startHouse({ clock });
  tollway = commandLine(house);
  admin = adminDoor(house);
  folder = mkdtempSync(join(tmpdir(), "tollway-apply-"));
});
afterEach(async () => {
  await house.close();
  rmSync(folder, { recursive: true, force: true });
});

const FILE = `# Settings of the gateway itself stand beside the sections.
port: 8642
organizations:
  - name: acme
teams:
  - name: research
  - { name: sales, organization: acme }
projects:
  - name: search
    team: research
  - { name: shop, organization: acme, team: sales }
keys:
  - name: web
    project: search
    allowed_models: [gpt-4o*, claude-*]
    rate_limit: 60
    expires_at: 2999-01-01T00:00:00Z
    metadata: { customer: c-1, plan: gold }
  - { name: shop, organization: acme, project: shop, mode: test }
limits:
  - scope: team:research
    rate_limit: 600
budgets:
  - scope: project:search
    limit_usd: 0.1
    window: month
    timezone: Europe/Berlin
    thresholds: [{ percent: 80, action: alert }]
  - { scope: "key:web", limit_usd: 12345678.123456789, window: day, rolling: true }
  - { scope: organization:acme, limit_usd: "5", window: lifetime }
`;

function write(text: string): string {
  const path = join(folder, "tollway.yaml");
  writeFileSync(path, text);
  return path;
}

describe("apply", () => {
  test("makes what the file names, prints new keys alone on stdout, and changes nothing the second time", async () => {
    const path = write(FILE);
    const keys = await tollway.run("apply", path);
    expect(keys.map((line) => line.split("\t")[1])).toEqual(["web", "shop"]);
    expect(tollway.messages()).toContain("+ teams sales in org_");
    expect(tollway.messages()).toContain("Made 11, changed 0, 0 as they were.");
    const secret = keys[0]?.split("\t")[2] ?? "";
    const project = (await admin.all("/projects")).find(({ name }) => name === "search") as Json;
    expect(house.ports.keys.verify(secret)?.policy).toMatchObject({ projectId: String(project["id"]), requestsPerMinute: 60 });
    const budgets = await admin.all("/budgets");
    expect(budgets.map((budget) => [budget["scope"], (budget["exact"] as Json)["limit_usd"]])).toEqual(
      expect.arrayContaining([
        [`project:${project["id"]}`, "0.1"],
        [`key:${keys[0]?.split("\t")[0]}`, "12345678.123456789"],
      ]),
    );
    const whole = await admin.everything();
    const events = await admin.all("/events");
    expect(await tollway.run("apply", path)).toEqual([]);
    expect(tollway.messages()).toBe("Made 0, changed 0, 11 as they were.");
    expect(await admin.everything()).toEqual(whole);
    expect(await admin.all("/events")).toEqual(events);
  });

  test("shows what it would do, and does nothing, in a dry run", async () => {
    const path = write(FILE);
    const before = await admin.everything();
    expect(await tollway.run("apply", path, "--dry-run")).toEqual([]);
    expect(tollway.messages()).toContain("Would make 11, change 0, 0 as they were.");
    const plan = await tollway.json<{ changes: Json[]; keys: Json[] }>("apply", path, "--dry-run");
    expect(plan.changes.every(({ id, action }) => id === null && action === "create")).toBe(true);
    expect(plan.keys).toEqual([]);
    expect(await admin.everything()).toEqual(before);
    expect(await admin.all("/events")).toEqual([]);
  });

  test("changes what differs alone, and leaves what the file does not name", async () => {
    await tollway.run("apply", write(FILE));
    const web = (await admin.all("/keys")).find(({ name }) => name === "web") as Json;
    await admin.patch(`/keys/${web["id"]}`, { concurrency: 9 });
    await admin.post("/teams", { name: "by hand" });
    const changed = FILE.replace("rate_limit: 60\n", "rate_limit: 61\n")
      .replace("limit_usd: 0.1\n", "limit_usd: 0.2\n")
      .replace(", plan: gold", "");
    await tollway.run("apply", write(changed));
    expect(tollway.messages()).toContain("~ keys web: rate_limit, metadata");
    expect(tollway.messages()).toMatch(/~ budgets project:proj_\w+ month: limit_usd/);
    expect(tollway.messages()).toContain("Made 0, changed 2, 9 as they were.");
    expect(await admin.get(`/keys/${web["id"]}`)).toMatchObject({ rate_limit: 61, concurrency: 9, metadata: { customer: "c-1" } });
    expect((await admin.all("/teams")).map(({ name }) => name).sort()).toEqual(["by hand", "research"]);
    // null takes away what a missing field leaves.
    await tollway.run("apply", write(changed.replace("rate_limit: 61\n", "rate_limit: null\n")));
    expect(await admin.get(`/keys/${web["id"]}`)).toMatchObject({ rate_limit: null });
  });

  test("makes a key anew where the one of that name is revoked", async () => {
    const path = write("keys: [{ name: web }]\n");
    const [first = ""] = await tollway.run("apply", path);
    await tollway.run("keys", "revoke", first.split("\t")[0] ?? "");
    const [second = ""] = await tollway.run("apply", path);
    expect(second.split("\t")[0]).not.toBe(first.split("\t")[0] as string);
  });

  test("leaves a key whose end is over by now as it is", async () => {
    const path = write("keys: [{ name: web, expires_at: 2026-11-24T00:00:00Z }]\n");
    await tollway.run("apply", path);
    await clock.advance(2 * 24 * 60 * 60 * 1000);
    await tollway.run("apply", path);
    expect(tollway.messages()).toBe("Made 0, changed 0, 1 as they were.");
  });

  test("is refused whole: every fault with its line and column, and nothing is written", async () => {
    const path = write(`teams:
  - name: research
  - name: research
  - nmae: slip
projects:
  - name: search
    team: nowhere
keys:
  - name: web
    allowed_models:
      - gpt-4o*
      - gtp-4o
budgets:
  - scope: team:research
    limit_usd: 5 USD
    window: day
  - scope: team:research
    limit_usd: -1
    window: day
    timezone: Mars/Base
`);
    const before = await admin.everything();
    const said = await tollway.refusal("apply", path);
    expect(said.split("\n").map((line) => line.replace(path, "FILE"))).toEqual([
      "Nothing was changed.",
      "FILE:3:5: teams[1] is teams[0] once more.",
      'FILE:4:11: Teams have no "nmae".',
      'FILE:7:11: There is no team "nowhere".',
      'FILE:12:9: keys[0].allowed_models[1] matches no model: "gtp-4o". GET /v1/models lists them.',
      expect.stringMatching(/^FILE:15:16: budgets\[0\]\.limit_usd takes an amount in USD/) as unknown as string,
      "FILE:18:16: budgets[1].limit_usd must not be below zero.",
    ]);
    expect(await admin.everything()).toEqual(before);
    expect(await admin.all("/events")).toEqual([]);
  });

  test.each<[string, string, RegExp]>([
    ["no YAML", "teams: [", /tollway\.yaml: .*at line 1, column/],
    ["a list", "- teams", /takes a map of sections/],
    ["a section that is none", "team:\n  - name: x\n", /"team" is no section; there are organizations, teams/],
    ["a section that is a map", "teams: { name: x }\n", /:1:8: teams takes a list/],
    ["a key's secret", "keys: [{ name: web, key: tw_live_x }]\n", /:1:26: .* have no "key"/],
    ["one key twice in a map", "teams:\n  - name: a\n    name: b\n", /line 3/],
    ["an unknown alias", "teams: *nobody\n", /nobody/],
    ["a mode that is another", "keys: [{ name: there, mode: test }]\n", /:1:29: keys\[0\]\.mode cannot change/],
    ["a name of two keys", "keys: [{ name: twice }]\n", /is the name of several keys/],
    ["a change of a scope's kind", "limits: [{ scope: key:there, rate_limit: 5 }]\n", /:1:19: limits\[0\]\.scope names a key/],
  ])("is refused with %s, and nothing is written", async (_, text, words) => {
    await admin.post("/keys", { name: "there" });
    // As a gateway from before names were kept apart left them.
    for (let left = 2; left > 0; left--) await house.ports.keys.create({ organizationId: "default", name: "twice", mode: "live" });
    const before = await admin.everything();
    expect(await tollway.refusal("apply", write(text))).toMatch(words);
    expect(await admin.everything()).toEqual(before);
  });

  test("is refused without its file", async () => {
    const nothing = join(folder, "nothing.yaml");
    expect(await tollway.refusal("apply", nothing)).toBe(`There is no file ${nothing}.`);
    expect(await tollway.refusal("apply", folder)).toStartWith(`${folder} cannot be read (`);
    expect(await tollway.refusal("apply")).toContain("FILE");
  });

  test("shares its file with the gateway's own settings, which pass the sections over", () => {
    expect(readConfig({}, {}, { name: "tollway.yaml", text: FILE }, []).port).toBe(8642);
  });

  test("of an empty file does nothing", async () => {
    await tollway.run("apply", write("# nothing yet\n"));
    expect(tollway.messages()).toBe("Made 0, changed 0, 0 as they were.");
  });
});
