// The commands of governance over the real admin door: what they make, print and refuse.
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { type RunningHouse, startHouse } from "../e2e/house";
import { type CommandLine, commandLine } from "./command-line";

let house: RunningHouse;
let tollway: CommandLine;

beforeAll(async () => {
  house = await startHouse();
  tollway = commandLine(house);
});
afterAll(() => house.close());

type Json = Record<string, unknown>;

describe("keys", () => {
  test("are made with all that they govern and a budget, shown, changed and rotated", async () => {
    await tollway.run("projects", "create", "--name", "shop");
    const made = await tollway.json<{ id: string; key: string }>(
      ...["keys", "create", "--name", "governed", "--project", "shop", "--allowed-models", "gpt-4o*, claude-*", "--rate-limit", "60"],
      ...["--tpm-limit=100000", "--concurrency", "4", "--metadata", "customer=c-1,note=a=b", "--allowed-ips", "10.0.0.0/8,127.0.0.1"],
      ...["--agent", "claude-code", "--drop-params", "--response-metadata", "headers", "--pii-mode", "off", "--role", "call"],
      ...["--limit-usd", "25", "--window", "month", "--timezone", "Europe/Berlin", "--thresholds", "50,90:block"],
    );
    expect(Object.keys(made)).toEqual(["id", "key"]);
    const shown = await tollway.json<Json>("keys", "show", made.id);
    expect(shown).toMatchObject({
      allowed_models: ["gpt-4o*", "claude-*"],
      rate_limit: 60,
      tpm_limit: 100_000,
      concurrency: 4,
      metadata: { customer: "c-1", note: "a=b" },
      allowed_ips: ["10.0.0.0/8", "127.0.0.1"],
      agent: "claude-code",
      drop_params: true,
      response_metadata: "headers",
      budgets: [
        {
          limit_usd: 25,
          window: "month",
          timezone: "Europe/Berlin",
          hard: true,
          thresholds: [
            { percent: 50, action: "alert" },
            { percent: 90, action: "block" },
          ],
        },
      ],
    });
    const none = ["--allowed-models", "none", "--rate-limit", "none", "--metadata=none", "--agent", "none", "--project", "none"];
    expect(await tollway.json<Json>("keys", "update", made.id, ...none, "--drop-params=false", "--name", "free")).toMatchObject({
      name: "free",
      allowed_models: null,
      rate_limit: null,
      metadata: {},
      agent: null,
      project: null,
      drop_params: false,
      tpm_limit: 100_000,
    });
    const lines = await tollway.run("keys", "show", made.id);
    expect(lines).toContain("name\tfree");
    expect(lines).toContain("rate_limit\t-");
    const rotated = await tollway.run("keys", "rotate", made.id, "--grace-seconds", "60");
    expect(rotated).toHaveLength(1);
    expect(tollway.messages()).toMatch(/shown this once\. The old one counts until \d{4}-/);
    expect((await house.get(rotated[0] ?? "", "/v1/account")).status).toBe(200);
  });

  test("of another organization are asked for with it", async () => {
    await tollway.run("organizations", "create", "--name", "acme");
    const { id } = await tollway.json<{ id: string }>("keys", "create", "--name", "theirs", "--organization", "acme");
    expect((await tollway.json<Json[]>("keys", "list", "--organization", "acme")).map((key) => key["id"])).toEqual([id]);
    expect(await tollway.refusal("keys", "revoke", id, "--organization", "default")).toContain(`There is no key "${id}"`);
    await tollway.run("keys", "revoke", id);
  });

  test("are not changed by their name, but the refusal says which id it is the name of", async () => {
    const { id } = await tollway.json<{ id: string }>("keys", "create", "--name", "my app");
    for (const args of [["show"], ["update", "--rate-limit", "5"], ["rotate"], ["revoke"]])
      expect(await tollway.refusal("keys", ...args, "my app")).toContain(`"my app". It is the name of ${id}: give the id.`);
    expect(await tollway.refusal("keys", "show", "no app")).toContain('There is no key "no app"');
  });

  test.each<[string, string[], RegExp]>([
    ["a rate that is text", ["--rate-limit", "many"], /^--rate-limit takes a whole number, and "many" is none/],
    ["metadata without a sign", ["--metadata", "customer"], /^--metadata takes NAME=VALUE/],
    ["a glob that matches nothing", ["--allowed-models", "gtp-4o"], /^allowed_models\[0\] matches no model/],
    ["a PII mode that is not there yet", ["--pii-mode", "mask"], /^pii_mode cannot be "mask" yet/],
    ["half a budget", ["--limit-usd", "5"], /budgets\[0\]\.window/],
    ["a budget that is both", ["--limit-usd", "5", "--window", "day", "--hard", "--soft"], /--hard or --soft, not both/],
    ["a flag twice", ["--rate-limit", "5", "--rate-limit=6"], /^--rate-limit is given twice/],
    ["a flag that is nearly one", ["--allowed-modles", "x"], /has no flag --allowed-modles\. Did you mean --allowed-models\?/],
  ])("are refused with %s, and none is made", async (_, flags, words) => {
    const before = await tollway.json<Json[]>("keys", "list");
    expect(await tollway.refusal("keys", "create", "--name", "x", ...flags)).toMatch(words);
    expect(await tollway.json<Json[]>("keys", "list")).toEqual(before);
  });
});

describe("budgets", () => {
  test("are made as product.md writes them, listed, changed and deleted", async () => {
    const { id: key } = await tollway.json<{ id: string }>("keys", "create", "--name", "budgeted");
    const made = await tollway.json<{ id: string; scope: string; limit_usd: number }>(
      ...["budgets", "create", "--scope", `key:${key}`, "--limit-usd", "0.1", "--window", "day", "--hard"],
    );
    expect(made).toMatchObject({ object: "budget", scope: `key:${key}`, limit_usd: 0.1, hard: true });
    const [id] = await tollway.run(
      "budgets",
      "create",
      "--scope",
      "organization",
      "--limit-usd=12345678.123456789",
      "--window=lifetime",
      "--soft",
    );
    expect(tollway.messages()).toBe(`Made ${id}: 12345678.123456789 USD in a lifetime, soft on organization:default.`);
    const listed = await tollway.run("budgets", "list");
    expect(listed.find((line) => line.startsWith(id ?? "?"))?.split("\t")).toEqual([
      ...[id ?? "", "organization:default", "12345678.123456789", "lifetime", "soft", "0", "0", "12345678.123456789", "-"],
    ]);
    expect(await tollway.json<Json[]>("budgets", "list", "--scope", `key:${key}`)).toHaveLength(1);
    await tollway.run("budgets", "update", made.id, "--limit-usd", "2", "--thresholds", "80:alert");
    expect(tollway.messages()).toContain("2 USD a day, hard");
    expect(await tollway.json<Json>("budgets", "show", made.id)).toMatchObject({ limit_usd: 2, thresholds: [{ percent: 80 }] });
    for (const each of await tollway.json<{ id: string }[]>("budgets", "list")) await tollway.run("budgets", "delete", each.id);
    expect(await tollway.run("budgets", "list")).toEqual([]);
    expect(tollway.messages()).toContain("tollway budgets create");
  });

  test.each<[string, string[], RegExp]>([
    ["no scope", ["--limit-usd", "5", "--window", "day"], /--scope/],
    ["a scope that is not there", ["--scope", "key:key_x", "--limit-usd", "5", "--window", "day"], /There is no key "key_x"/],
    [
      "a limit below zero",
      ["--scope", "organization", "--limit-usd", "-5", "--window", "day"],
      /^--limit-usd|limit_usd must not be below zero/,
    ],
    [
      "a limit below zero, with a sign between",
      ["--scope", "organization", "--limit-usd=-5", "--window", "day"],
      /^limit_usd must not be below/,
    ],
    ["a currency", ["--scope", "organization", "--limit-usd", "5€", "--window", "day"], /^limit_usd takes an amount in USD/],
    [
      "a zone that is none",
      ["--scope", "organization", "--limit-usd", "5", "--window", "day", "--timezone", "Mars"],
      /^timezone takes the IANA/,
    ],
    [
      "a threshold that is none",
      ["--scope", "organization", "--limit-usd", "5", "--window", "day", "--thresholds", "x"],
      /^--thresholds takes/,
    ],
    [
      "a downgrade",
      ["--scope", "organization", "--limit-usd", "5", "--window", "day", "--thresholds", "9:downgrade"],
      /cannot be "downgrade" yet/,
    ],
  ])("are refused with %s, and none is made", async (_, flags, words) => {
    const before = await tollway.json<Json[]>("budgets", "list");
    expect(await tollway.refusal("budgets", "create", ...flags)).toMatch(words);
    expect(await tollway.json<Json[]>("budgets", "list")).toEqual(before);
  });
});

describe("organizations, teams, projects, limits and credits", () => {
  test("are made, listed, changed and deleted, with the id on stdout and a sentence on stderr", async () => {
    const [team = ""] = await tollway.run("teams", "create", "--name", "a\u00a0team");
    expect(tollway.messages()).toBe(`Made team ${team} ("a\u00a0team").`);
    const [project = ""] = await tollway.run("projects", "create", "--name", "find", "--team", team);
    expect((await tollway.run("projects", "list")).find((line) => line.startsWith(project))?.split("\t")[1]).toBe(team);
    await tollway.run("projects", "update", project, "--team", "none", "--name", "found");
    expect(tollway.messages()).toBe(`Changed project ${project} ("found").`);
    const [limit = ""] = await tollway.run("limits", "create", "--scope", `team:${team}`, "--rate-limit", "600", "--concurrency=20");
    expect(await tollway.run("limits", "list")).toEqual([[limit, `team:${team}`, "600", "-", "20"].join("\t")]);
    expect(await tollway.json<Json>("limits", "update", limit, "--concurrency", "none")).toMatchObject({
      rate_limit: 600,
      concurrency: null,
    });
    expect(await tollway.refusal("teams", "delete", team)).toContain(`1 limit (${limit})`);
    await tollway.run("limits", "delete", limit);
    expect(await tollway.json<Json>("teams", "delete", team)).toEqual({ object: "team", id: team, deleted: true });
    await tollway.run("projects", "delete", project);
    const { id } = await tollway.json<{ id: string }>("organizations", "create", "--name", "globex", "--status", "suspended");
    expect(await tollway.json<Json>("organizations", "update", id, "--status", "active")).toMatchObject({ status: "active" });
    expect(await tollway.refusal("organizations", "delete", id)).toContain('There is no command "tollway organizations delete"');
  });

  test("are topped up and adjusted with their reasons", async () => {
    await tollway.run("credits", "accounts", "create", "--scope", "organization", "--markup-percent", "12.5");
    expect(tollway.messages()).toContain("tollway credits add --scope organization");
    await tollway.run("credits", "add", "--scope", "organization", "--amount-usd", "100");
    expect(tollway.messages()).toBe("Added 100 USD to organization:default.");
    await tollway.run("credits", "add", "--scope", "organization", "--amount-usd=-0.5", "--kind", "adjustment", "--reason", "wrong");
    expect((await tollway.run("credits", "list")).map((line) => line.split("\t").slice(2))).toEqual([
      ["adjustment", "-0.5", "wrong"],
      ["top_up", "100", ""],
    ]);
    expect((await tollway.run("credits", "accounts", "list"))[0]?.split("\t").slice(1)).toEqual([
      "organization:default",
      "12.5",
      "99.5",
      "0",
      "99.5",
    ]);
    expect(await tollway.refusal("credits", "add", "--scope", "organization", "--amount-usd", "5 EUR")).toMatch(
      /^amount_usd takes an amount/,
    );
  });
});

describe("usage", () => {
  test("is printed by group, test keys' apart, with the total on stderr", async () => {
    const { id, key } = await tollway.json<{ id: string; key: string }>("keys", "create", "--name", "calls", "--mode", "test");
    for (const model of ["gpt-4o", "gpt-4o", "gpt-4o-mini"]) {
      const answer = await house.chat(key, { model, messages: [{ role: "user", content: "hi [[simulate: pace=0]]" }] });
      expect(answer.status).toBe(200);
    }
    await house.settled();
    expect(await tollway.run("usage")).toEqual([]);
    expect(tollway.messages()).toBe("Nothing was called in that time.");
    const lines = await tollway.run("usage", "--test", "--group-by", "model");
    expect(lines.map((line) => line.split("\t").slice(0, 2))).toEqual(
      expect.arrayContaining([
        ["gpt-4o", "2"],
        ["gpt-4o-mini", "1"],
      ]) as never,
    );
    expect(tollway.messages()).toMatch(/^Total: 3 requests, 0\.\d+ USD\.$/);
    const read = await tollway.json<{ data: Json[]; total: Json }>("usage", "--test", "--group-by=key", "--filter", "model=gpt-4o-mini");
    expect(read.data).toMatchObject([{ key: id, requests: 1 }]);
    expect(read.total).toMatchObject({ requests: 1 });
  });

  test.each<[string, string[], RegExp]>([
    ["a dimension that is none", ["--group-by", "colour"], /group_by/],
    ["a time that is none", ["--from", "yesterday"], /from/],
    ["a filter that is none", ["--filter", "colour=red"], /colour/],
    ["an organization that is not there", ["--organization", "org_x"], /There is no organization "org_x"/],
  ])("is refused for %s", async (_, flags, words) => {
    expect(await tollway.refusal("usage", ...flags)).toMatch(words);
  });
});

describe("a word that is nearly a command", () => {
  test.each<[string[], string]>([
    [["budget", "list"], "tollway budgets"],
    [["key"], "tollway keys"],
    [["budgets", "craete"], "tollway budgets create"],
    [["credits", "accounts", "lsit"], "tollway credits accounts list"],
    [["aply", "x.yaml"], "tollway apply"],
  ])("%p is told which was meant", async (args, found) => {
    expect(await tollway.refusal(...args)).toContain(`Did you mean ${found}?`);
  });

  test("is not guessed at where none is near", async () => {
    expect(await tollway.refusal("xyzzy")).not.toContain("Did you mean");
  });
});
