// A provider's bill against the ledger, day by day and model by model. The bill's days are UTC's, as providers write them.
import { Failure } from "../core/failure";
import { undatedId } from "../core/model-id";
import { addUsd, type NanoUsd, nanoUsd, subUsd, usdText, ZERO_USD } from "../core/money";
import type { Ports } from "../core/ports";
import { type Fields, fieldsOf, quoted } from "./fields";
import { type Ask, organizationAsked } from "./place";
import { isoTime } from "./time-text";

const DAY_MS = 86_400_000;
const LINES_MAX = 20_000;
const DAYS_MAX = 400;
const GROUPS_PAGE = 1_000;
const MODEL_CHARACTERS_MAX = 256;
/** What a difference must come to before it is one: a cent, and a hundredth of the larger side. Providers round. */
const CENT = nanoUsd(10_000_000n);
const SHARE = 100n;

export interface InvoiceLine {
  /** YYYY-MM-DD */
  day: string;
  /** undefined: the bill does not part its models. */
  model: string | undefined;
  amount: NanoUsd;
}

interface ComparedLine {
  day: string;
  model: string | null;
  billed_usd: string;
  ledger_usd: string;
  difference_usd: string;
  matches: boolean;
}

export interface InvoiceDocument {
  object: "invoice_comparison";
  ok: boolean;
  provider: string | null;
  from: string;
  to: string;
  billed_usd: string;
  ledger_usd: string;
  difference_usd: string;
  /** Attempts without a price in these days: the bill holds them, the ledger's cost does not. */
  unpriced_attempts: number;
  data: ComparedLine[];
}

/** `{provider?, lines: [{day, model?, amount_usd}]}`; `?organization=` narrows it to one organization's calls. */
export async function compareInvoice(ask: Ask, ports: Ports): Promise<InvoiceDocument> {
  const fields = fieldsOf(ask.body, ["provider", "lines"], "Invoices");
  const provider = fields.text("provider");
  const lines = fields.objects("lines", ["day", "model", "amount_usd"], LINES_MAX, "Lines").map(readLine);
  const days = [...new Set(lines.map(({ day }) => day))].sort();
  const [first, last] = [days[0], days.at(-1)];
  if (first === undefined || last === undefined) return fields.fail("lines", "takes at least one line.");
  if (days.length > DAYS_MAX) return fields.fail("lines", `takes at most ${DAYS_MAX} days.`);
  const organization = organizationAsked(ask, undefined, ports);
  const organizations = organization === undefined ? ports.directory.organizations().map(({ id }) => id) : [organization];
  const byModel = lines.some(({ model }) => model !== undefined);
  const billed = sumsOf(lines.map((line) => ({ ...line, model: byModel ? line.model : undefined })));
  const written = new Map<string, NanoUsd>();
  let unpriced = 0;
  for (const day of days) {
    for (const organizationId of organizations) {
      for (const { model, cost, unpriced: without } of await costsOf(day, organizationId, provider, ports)) {
        add(written, day, byModel ? model : undefined, cost);
        unpriced += without;
      }
    }
  }
  const data = [...new Set([...billed.keys(), ...written.keys()])]
    .sort()
    .map((name) => compared(name, billed.get(name), written.get(name)));
  const [billedTotal, writtenTotal] = [totalOf(billed), totalOf(written)];
  return {
    object: "invoice_comparison",
    ok: data.every(({ matches }) => matches),
    provider: provider ?? null,
    from: first,
    to: last,
    billed_usd: usdText(billedTotal),
    ledger_usd: usdText(writtenTotal),
    difference_usd: usdText(subUsd(billedTotal, writtenTotal)),
    unpriced_attempts: unpriced,
    data,
  };
}

function readLine(fields: Fields): InvoiceLine {
  const day = fields.needed("day", "A line");
  if (!/^\d{4}-\d{2}-\d{2}$/.test(day) || isoTime(day) === undefined) fields.fail("day", `takes YYYY-MM-DD: ${quoted(day)} is none.`);
  const model = fields.text("model")?.slice(0, MODEL_CHARACTERS_MAX);
  const amount = fields.usd("amount_usd", true);
  if (amount === undefined) {
    const param = fields.param("amount_usd");
    throw new Failure("missing_required_parameter", `A line needs ${param}.`, { param });
  }
  return { day, model: model === "" ? undefined : model, amount };
}

/** The ledger's costs of one UTC day, by model. */
async function costsOf(day: string, organizationId: string, provider: string | undefined, ports: Ports) {
  const from = Date.parse(day);
  const found: { model: string; cost: NanoUsd; unpriced: number }[] = [];
  let cursor: string | undefined;
  do {
    const page = await ports.rollups.usage({
      organizationId,
      mode: "live",
      groupBy: "model",
      filters: provider === undefined ? undefined : { provider: [provider] },
      from,
      to: from + DAY_MS,
      limit: GROUPS_PAGE,
      cursor,
    });
    for (const { value, cost, unpriced } of page.groups) found.push({ model: value ?? "", cost, unpriced });
    cursor = page.nextCursor;
  } while (cursor !== undefined);
  return found;
}

/** Bills name a model with its release or without, where the ledger has what the provider answered. */
const nameOf = (day: string, model: string | undefined): string =>
  JSON.stringify([day, model === undefined ? null : (undatedId(model.trim().toLowerCase()) ?? model.trim().toLowerCase())]);

function add(sums: Map<string, NanoUsd>, day: string, model: string | undefined, amount: NanoUsd): void {
  const name = nameOf(day, model);
  sums.set(name, addUsd(sums.get(name) ?? ZERO_USD, amount));
}

function sumsOf(lines: readonly InvoiceLine[]): Map<string, NanoUsd> {
  const sums = new Map<string, NanoUsd>();
  for (const { day, model, amount } of lines) add(sums, day, model, amount);
  return sums;
}

const totalOf = (sums: ReadonlyMap<string, NanoUsd>): NanoUsd => [...sums.values()].reduce(addUsd, ZERO_USD);

function compared(name: string, billed: NanoUsd = ZERO_USD, written: NanoUsd = ZERO_USD): ComparedLine {
  const [day, model] = JSON.parse(name) as [string, string | null];
  const difference = subUsd(billed, written);
  const off = magnitude(difference);
  return {
    day,
    model,
    billed_usd: usdText(billed),
    ledger_usd: usdText(written),
    difference_usd: usdText(difference),
    matches: off <= CENT || off * SHARE <= magnitude(billed) || off * SHARE <= magnitude(written),
  };
}

const magnitude = (amount: bigint): bigint => (amount < 0n ? -amount : amount);
