// Bills as providers write them, and as spreadsheets make them.
import { describe, expect, test } from "bun:test";
import { readBill } from "../../src/cli/invoice-file";

const bill = (...lines: string[]) => readBill("bill.csv", lines.join("\n"));

describe("a bill", () => {
  test("of plain columns is read in any order, with sums by day and model", () => {
    expect(bill("model,amount,date", "gpt-4o,1.5,2026-11-01", "gpt-4o,0.25,2026-11-01", "o3,2,2026-11-02")).toEqual([
      { day: "2026-11-01", model: "gpt-4o", amount_usd: "1.750000000" },
      { day: "2026-11-02", model: "o3", amount_usd: "2.000000000" },
    ]);
  });

  test("of OpenAI's cost export is read: times, line items, values with a currency, totals without a day", () => {
    expect(
      bill(
        "start_time,end_time,start_time_iso,end_time_iso,amount_value,amount_currency,line_item,project_id,organization_id",
        '1793491200,1793577600,2026-11-01T00:00:00+00:00,2026-11-02T00:00:00+00:00,0.0000012345678,usd,"gpt-4o-2024-08-06, input",proj_1,org-1',
        '1793491200,1793577600,2026-11-01T00:00:00+00:00,2026-11-02T00:00:00+00:00,1.2e-05,usd,"gpt-4o-2024-08-06, cached input",proj_1,org-1',
        '1793491200,1793577600,2026-11-01T00:00:00+00:00,2026-11-02T00:00:00+00:00,3,usd,"gpt-4o-2024-08-06, output",proj_1,org-1',
        ",,,,3.0000132345678,usd,,,",
      ),
    ).toEqual([{ day: "2026-11-01", model: "gpt-4o-2024-08-06", amount_usd: "3.000013235" }]);
  });

  test("of Unix seconds, a byte order mark, CRLF, semicolons, quotes and signs is read", () => {
    expect(
      readBill("b", '\uFEFFDay;Model Name;"Cost (USD)"\r\n1793491200;"claude ""sonnet""";"$1,234.50"\r\n\r\n1793491200;credit;(3.20)\r\n'),
    ).toEqual([
      { day: "2026-11-01", model: 'claude "sonnet"', amount_usd: "1234.500000000" },
      { day: "2026-11-01", model: "credit", amount_usd: "-3.200000000" },
    ]);
  });

  test("without models is read as sums of days, and cells may hold line ends", () => {
    expect(bill("ChargePeriodStart,BilledCost,Note", '2026-11-01T23:30:00-02:00,.5,"two', 'lines"', "2026-11-02 00:10:00,0.1,")).toEqual([
      { day: "2026-11-02", model: undefined, amount_usd: "0.600000000" },
    ]);
  });

  test("is exact where doubles are not", () => {
    const lines = Array.from({ length: 1_000 }, () => "2026-11-01,m,0.0000000001");
    expect(bill("date,model,cost", ...lines)).toEqual([{ day: "2026-11-01", model: "m", amount_usd: "0.000000100" }]);
    expect(bill("date,cost", "2026-11-01,12345678.123456789")[0]?.amount_usd).toBe("12345678.123456789");
  });

  test.each<[string, string[], RegExp]>([
    ["nothing in it", [""], /holds no line|is empty|no column/],
    ["a header alone", ["date,cost"], /holds no line/],
    ["no column of days", ["model,cost", "m,1"], /no column of days.*It has: model, cost\./],
    ["no column of amounts", ["date,model", "2026-11-01,m"], /no column of amounts/],
    ["a day that could be two", ["date,cost", "11/12/2026,1"], /line 2: "11\/12\/2026" is no day/],
    ["a day that is none", ["date,cost", "2026-11-01,1", "2026-13-01,1"], /line 3: "2026-13-01" is no day/],
    ["an amount that is none", ["date,cost", "2026-11-01,much"], /line 2: "much" is no amount/],
    ["another currency", ["date,cost,currency", "2026-11-01,1,EUR"], /line 2: the amount is in EUR/],
    ["a quote that does not end", ["date,cost", '2026-11-01,"1'], /line 2: a quoted cell does not end/],
  ])("is refused with %s", (_, lines, words) => {
    expect(() => bill(...lines)).toThrow(words);
  });
});
