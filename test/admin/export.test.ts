// The ledger as a file, over real sockets and over the command line: nothing missing, nothing twice, to the nano-USD.
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { csvCell } from "../../src/admin/export";
import { FOCUS_COLUMNS, FOCUS_COSTS } from "../../src/admin/focus";
import { nanoUsd, parseUsd } from "../../src/core/money";
import { commandLine } from "../cli/command-line";
import { type AccountHouse, type Minted, startAccountHouse } from "../e2e/account-house";

const DAY = 86_400_000;
/** What a spreadsheet would run. */
const EVIL = '=HYPERLINK("http://evil.example";"x")';
/** https://focus.finops.org/focus-specification/v1-2/: columns that must be there. */
const MANDATORY = [
  "BilledCost",
  "BillingAccountId",
  "BillingAccountName",
  "BillingCurrency",
  "BillingPeriodEnd",
  "BillingPeriodStart",
  "ChargeCategory",
  "ChargeClass",
  "ChargeDescription",
  "ChargePeriodEnd",
  "ChargePeriodStart",
  "ContractedCost",
  "EffectiveCost",
  "InvoiceIssuerName",
  "ListCost",
  "PricingQuantity",
  "PricingUnit",
  "ProviderName",
  "PublisherName",
  "ServiceCategory",
  "ServiceName",
];

let house: AccountHouse;
let caller: Minted;
let start: number;
let total = 0n;
const CALLS = 640;

beforeAll(async () => {
  house = await startAccountHouse({ store: { kind: "file" } });
  start = house.clock.now();
  const made = { organizationId: "default", createdAt: start };
  await house.ports.directory.put("team", { ...made, id: "team_g", name: "growth" });
  await house.ports.directory.put("project", { ...made, id: "proj_web", name: "web, and more", teamId: "team_g" });
  caller = await house.mint("=cmd|' /C calc'!A0", { projectId: "proj_web" });
  const tester = await house.mint("tester", {}, "default", "test");
  const other = await house.store.organizations.create("Other");
  const stranger = await house.mint("stranger", {}, other.id);
  for (let n = 0; n < CALLS; n++) {
    const cost = nanoUsd(BigInt(n) * 123_456_789n + 1n);
    await house.row(caller.key, n === 7 ? { user: EVIL, modelServed: "vendor/model" } : {}, n === 9 ? { cost: undefined } : { cost });
    if (n !== 9) total += cost;
    await house.row(n % 2 === 0 ? tester.key : stranger.key);
    await house.clock.advance(DAY / 16);
  }
});
afterAll(() => house.close());

/** RFC 4180, as a reader of our own. */
function parseCsv(text: string): Record<string, string>[] {
  const rows: string[][] = [[]];
  for (const match of text.matchAll(/(?:"((?:[^"]|"")*)"|([^",\r\n]*))(,|\r\n|$)/g)) {
    rows.at(-1)?.push(match[1]?.replaceAll('""', '"') ?? match[2] ?? "");
    if (match[3] === "\r\n") rows.push([]);
    if (match.index + match[0].length >= text.length) break;
  }
  const [names = [], ...lines] = rows.filter((row) => row.length > 1);
  return lines.map((cells) => Object.fromEntries(names.map((name, n) => [name, cells[n] ?? ""])));
}

async function exported(query: string): Promise<{ text: string; headers: Headers }> {
  const response = await house.admin(`/admin/v1/export?${query}`);
  const text = await response.text();
  if (!response.ok) throw new Error(`${response.status} ${text}`);
  return { text, headers: response.headers };
}

const iso = (at: number): string => new Date(at).toISOString();
const sumOf = (rows: readonly Record<string, string>[], name: string): bigint =>
  rows.reduce((sum, row) => sum + (parseUsd(row[name] ?? "") ?? 0n), 0n);

describe("an export", () => {
  test("as CSV has every row of one organization, once, in order, whose costs are the ledger's", async () => {
    const { text, headers } = await exported("format=csv");
    const rows = parseCsv(text);
    expect(rows.length).toBe(CALLS);
    expect([headers.get("content-type"), headers.get("x-tollway-rows")]).toEqual(["text/csv; charset=utf-8", String(CALLS)]);
    expect(headers.get("content-disposition")).toMatch(/^attachment; filename="tollway-csv-\d{4}-\d\d-\d\d\.csv"$/);
    expect(new Set(rows.map((row) => row["organization_id"]))).toEqual(new Set(["default"]));
    expect(new Set(rows.map((row) => row["id"])).size).toBe(CALLS);
    expect(rows.map((row) => Number(row["id"]))).toEqual(rows.map((row) => Number(row["id"])).toSorted((a, b) => a - b));
    expect(nanoUsd(sumOf(rows, "cost_usd"))).toBe(house.ports.counters.read("organization:default", "live").spent);
    expect(sumOf(rows, "cost_usd")).toBe(total);
    expect(rows[9]?.["cost_usd"]).toBe("");
  });

  test("as JSONL says the same, with null for what is not known", async () => {
    const { text, headers } = await exported("format=jsonl");
    const rows = text
      .trimEnd()
      .split("\n")
      .map((line) => JSON.parse(line) as Record<string, unknown>);
    expect(headers.get("content-type")).toBe("application/x-ndjson");
    expect(rows.length).toBe(CALLS);
    expect(rows[3]).toMatchObject({
      key_id: caller.key.id,
      project_id: "proj_web",
      team_id: "team_g",
      cost_usd: "0.370370368",
      input_tokens: 1_000,
      cache_read_input_tokens: 400,
      tag: null,
      status: "ok",
      time: iso(start + 3 * (DAY / 16)),
    });
    expect(rows[9]?.["cost_usd"]).toBeNull();
    expect(rows[7]?.["user"]).toBe(EVIL);
  });

  test("as FOCUS 1.2 has the mandatory columns, and amounts that add up to the ledger's to the nano-USD", async () => {
    const rows = parseCsv((await exported("format=focus")).text);
    expect(rows.length).toBe(CALLS);
    expect(MANDATORY.filter((name) => !(name in (rows[0] ?? {})))).toEqual([]);
    expect(MANDATORY.length).toBe(21);
    for (const name of FOCUS_COSTS) expect(sumOf(rows, name)).toBe(total);
    expect(rows[3]).toMatchObject({
      BilledCost: "0.370370368",
      BillingAccountId: "default",
      BillingAccountName: "default",
      BillingCurrency: "USD",
      BillingPeriodStart: "2026-11-01T00:00:00Z",
      BillingPeriodEnd: "2026-12-01T00:00:00Z",
      ChargeCategory: "Usage",
      ChargeClass: "",
      ChargePeriodStart: "2026-11-23T16:30:00Z",
      ChargePeriodEnd: "2026-11-23T16:30:01Z",
      ConsumedQuantity: "1300",
      ConsumedUnit: "Tokens",
      PricingQuantity: "1",
      PricingUnit: "Requests",
      ListUnitPrice: "0.370370368",
      ProviderName: "openai",
      PublisherName: "openai",
      ServiceCategory: "AI and Machine Learning",
      SkuId: "openai/gpt-4o-mini",
      SubAccountId: "proj_web",
      SubAccountName: "web, and more",
      ResourceId: caller.key.id,
      Tags: '{"team":"team_g"}',
      x_CostKnown: "true",
    });
    expect([rows[9]?.["BilledCost"], rows[9]?.["ListUnitPrice"], rows[9]?.["x_CostKnown"]]).toEqual(["0", "", "false"]);
    expect(rows[7]?.["PublisherName"]).toBe("vendor");
    for (const row of rows) {
      for (const name of MANDATORY) if (name !== "ChargeClass") expect(row[name]).not.toBe("");
      expect(`${row["ChargePeriodStart"]}` < `${row["ChargePeriodEnd"]}`).toBe(true);
      expect(`${row["BillingPeriodStart"]}` <= `${row["ChargePeriodStart"]}`).toBe(true);
      expect(`${row["ChargePeriodStart"]}` < `${row["BillingPeriodEnd"]}`).toBe(true);
    }
    expect(Object.keys(rows[0] ?? {})).toEqual(Object.keys(FOCUS_COLUMNS));
  });

  test("never holds a cell that a spreadsheet would run", async () => {
    for (const format of ["csv", "focus"]) {
      const rows = parseCsv((await exported(`format=${format}`)).text);
      for (const row of rows) for (const cell of Object.values(row)) expect(cell).not.toMatch(/^[=+\-@\t\r\n]/);
      expect(Object.values(rows[7] ?? {}).some((cell) => cell.includes("HYPERLINK"))).toBe(true);
    }
    const focus = parseCsv((await exported("format=focus")).text);
    expect(focus[0]?.["ResourceName"]).toBe("'=cmd|' /C calc'!A0");
  });

  test("csvCell() is read back as it was, but for what would be a formula", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary" }), (text) => {
        const [row] = parseCsv(`a,b\r\n${csvCell(text)},1\r\n`);
        expect(row?.["a"]).toBe(/^[=+\-@\t\r\n]/.test(text) ? `'${text}` : text);
      }),
    );
  });

  test("takes a stretch of time, an organization by name, and test calls apart", async () => {
    const [from, to] = [iso(start + 10 * DAY), iso(start + 11 * DAY)];
    expect(parseCsv((await exported(`from=${from}&to=${to}`)).text).length).toBe(16);
    const other = parseCsv((await exported("organization=Other")).text);
    expect(other.length).toBe(CALLS / 2);
    expect(other.every((row) => row["organization_id"] !== "default" && row["mode"] === "live")).toBe(true);
    const tests = parseCsv((await exported("mode=test")).text);
    expect([tests.length, new Set(tests.map((row) => row["mode"]))]).toEqual([CALLS / 2, new Set(["test"])]);
    expect((await exported(`format=jsonl&from=${from}&to=${iso(start + 10 * DAY + 1)}`)).text.split("\n").length).toBe(2);
  });

  test.each([
    ["format=xml", 400, "format"],
    ["from=yesterday", 400, "from"],
    ["from=2026-12-02&to=2026-12-01", 400, "from"],
    ["from=2099-01-01", 400, "from"],
    ["organization=nobody", 404, "organization"],
    ["mode=both", 400, "mode"],
    ["format=focus&mode=test", 400, "mode"],
    ["form=csv", 400, "form"],
  ])("refuses %s by name", async (query, status, param) => {
    const response = await house.admin(`/admin/v1/export?${query}`);
    expect(response.status).toBe(status);
    expect((await response.json()) as object).toMatchObject({ error: { param } });
  });

  test("that the database cannot finish breaks off: a cut file cannot pass for a whole one", async () => {
    const { rollups } = house.ports;
    const broken = await startAccountHouse({
      adapt: (ports) => ({
        ...ports,
        rollups: {
          usage: rollups.usage.bind(rollups),
          verify: rollups.verify.bind(rollups),
          rows: async (query) => {
            if (query.cursor !== undefined) throw new Error("the disk is gone");
            return rollups.rows(query);
          },
        },
      }),
    });
    const response = await broken.admin("/admin/v1/export?to=2027-06-01");
    expect(response.status).toBe(200);
    expect(
      await response.text().then(
        () => "whole",
        () => "broken off",
      ),
    ).toBe("broken off");
    expect(broken.log.lines.map((line) => line.event)).toContain("export.broken_off");
    await broken.close();
  });

  test("ends when its reader leaves", async () => {
    let pages = 0;
    const { rollups } = house.ports;
    const watched = await startAccountHouse({
      adapt: (ports) => ({
        ...ports,
        rollups: {
          usage: rollups.usage.bind(rollups),
          verify: rollups.verify.bind(rollups),
          rows: async (query) => {
            pages++;
            const page = await rollups.rows({ ...query, cursor: undefined });
            // It never ends by itself.
            return { ...page, nextCursor: "more" };
          },
        },
      }),
    });
    const response = await watched.admin("/admin/v1/export?to=2027-06-01");
    const reader = response.body?.getReader();
    await reader?.read();
    await reader?.cancel();
    await watched.close();
    const then = pages;
    await new Promise((resolve) => setImmediate(resolve));
    expect(pages).toBe(then);
  });
});

describe("tollway export", () => {
  const folder = mkdtempSync(join(tmpdir(), "tollway-export-"));
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  test("writes a file, shows a bar, and says how much it wrote", async () => {
    const tollway = commandLine(house);
    const out = join(folder, "november.csv");
    expect(await tollway.run("export", "focus", "--out", out)).toEqual([]);
    expect(parseCsv(readFileSync(out, "utf8")).length).toBe(CALLS);
    expect(existsSync(`${out}.part`)).toBe(false);
    expect(tollway.messages()).toBe(`Wrote 640 rows to ${out}.`);
    expect(tollway.progress().at(-2)).toBe(`[${"#".repeat(30)}] 100 % of 640 rows`);
    expect(tollway.progress().at(-1)).toBe("");
  });

  test("writes to stdout where no file is named", async () => {
    const tollway = commandLine(house);
    const text = (await tollway.run("export", "jsonl", "--from", iso(start), "--to", iso(start + DAY))).join("");
    expect(text.trimEnd().split("\n").length).toBe(16);
    expect(tollway.messages()).toBe("Wrote 16 rows.");
  });

  test("refuses what the gateway refuses, and leaves no file and none changed", async () => {
    const tollway = commandLine(house);
    const out = join(folder, "kept.csv");
    writeFileSync(out, "as it was");
    expect(await tollway.refusal("export", "xml")).toContain('"xml" is none');
    expect(await tollway.refusal("export", "csv", "--from", "someday", "--out", out)).toContain("from takes a time");
    expect(await tollway.refusal("export", "csv", "--out", join(folder, "no", "such", "folder.csv"))).toContain("cannot be written");
    expect(readFileSync(out, "utf8")).toBe("as it was");
    expect(existsSync(`${out}.part`)).toBe(false);
  });
});
