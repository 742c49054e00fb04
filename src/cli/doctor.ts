// tollway doctor: is everything as it should be, and does a provider's bill say what the ledger says. Ends with 1 where not.
import { readFile } from "node:fs/promises";
import { defineCommand } from "citty";
import { CommandFailed } from "./admin-call";
import { type Desk, data, given, json, organization, pathOf } from "./admin-flags";
import { readBill } from "./invoice-file";

interface Report {
  ok: boolean;
  checks: { name: string; status: "ok" | "fault" | "skipped"; says: string; faults: string[] }[];
}

interface Comparison {
  ok: boolean;
  billed_usd: string;
  ledger_usd: string;
  difference_usd: string;
  unpriced_attempts: number;
  data: { day: string; model: string | null; billed_usd: string; ledger_usd: string; difference_usd: string; matches: boolean }[];
}

const MARKS = { ok: "ok     ", fault: "FAULT  ", skipped: "skipped" } as const;

export const doctorCommand = (desk: Desk) =>
  defineCommand({
    meta: {
      name: "doctor",
      description: "Look for faults, or hold a bill against the ledger: tollway doctor --invoice costs.csv --provider openai",
    },
    args: {
      invoice: { type: "string", description: "CSV of a provider's bill: days, models, amounts" },
      provider: { type: "string", description: "Whose bill it is: its slug" },
      organization,
      json,
      data,
    },
    async run({ args }) {
      if (args.invoice !== undefined) return compare(desk, { ...args, invoice: args.invoice });
      if (args.provider !== undefined || args.organization !== undefined)
        throw new CommandFailed("--provider and --organization go with --invoice.");
      const report = await examined(desk, args);
      if (args.json) desk.output.data(JSON.stringify(report));
      else for (const line of report.checks.flatMap(linesOf)) desk.output.data(line);
      const faults = report.checks.filter(({ status }) => status === "fault").length;
      if (!report.ok) throw new CommandFailed(`${faults} of ${report.checks.length} checks found faults.`);
    },
  });

const linesOf = ({ name, status, says, faults }: Report["checks"][number]): string[] => [
  `${MARKS[status]}  ${name}: ${says}`,
  ...faults.map((fault) => `           ${fault}`),
];

/** A gateway that refuses to start is a finding too, and the first one. */
async function examined(desk: Desk, args: { data?: string | undefined }): Promise<Report> {
  try {
    return (await desk.admin(args)("GET", pathOf("/doctor"))) as Report;
  } catch (thrown) {
    if (!(thrown instanceof Error)) throw thrown;
    return {
      ok: false,
      checks: [{ name: "start", status: "fault", says: "The gateway does not open its data.", faults: [thrown.message] }],
    };
  }
}

async function compare(
  desk: Desk,
  args: { invoice: string; provider?: string | undefined; organization?: string | undefined; json: boolean; data?: string | undefined },
): Promise<void> {
  const lines = readBill(args.invoice, await readFile(args.invoice, "utf8"));
  const path = pathOf("/doctor/invoice", { organization: args.organization });
  const found = (await desk.admin(args)("POST", path, given({ provider: args.provider, lines }))) as Comparison;
  if (args.json) desk.output.data(JSON.stringify(found));
  else {
    desk.output.data(["day", "model", "billed_usd", "ledger_usd", "difference_usd", ""].join("\t"));
    for (const { day, model, billed_usd, ledger_usd, difference_usd, matches } of found.data)
      desk.output.data([day, model ?? "-", billed_usd, ledger_usd, difference_usd, matches ? "" : "DIFFERS"].join("\t"));
    desk.output.data(["total", "-", found.billed_usd, found.ledger_usd, found.difference_usd, found.ok ? "" : "DIFFERS"].join("\t"));
  }
  if (found.unpriced_attempts > 0)
    desk.output.message(`${found.unpriced_attempts} attempts of these days have no price here: the bill holds them, the ledger does not.`);
  const differing = found.data.filter(({ matches }) => !matches).length;
  if (!found.ok) throw new CommandFailed(`${differing} of ${found.data.length} lines differ by more than a cent and 1 %.`);
}
