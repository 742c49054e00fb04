// A provider's bill as CSV, read into lines of day, model and amount. Providers name their columns as they like: those that are known
// are found by their names, whatever their order, case and spelling.
import { plainDecimal } from "../core/exact-number";
import { CommandFailed } from "./admin-call";

export interface BillLine {
  /** YYYY-MM-DD, UTC. */
  day: string;
  model: string | undefined;
  /** Decimal text in USD, nine decimals at most. */
  amount_usd: string;
}

/** In the order in which they are preferred. Names are compared without case, spaces and signs. */
const COLUMNS = {
  day: [
    "date",
    "day",
    "usagedateutc",
    "usagedate",
    "starttimeiso",
    "starttime",
    "chargeperiodstart",
    "bucketstart",
    "timestamp",
    "time",
    "datetime",
    "startdate",
  ],
  model: ["model", "modelid", "modelname", "modelversion", "lineitem", "skuid", "sku", "chargedescription", "description", "item"],
  amount: ["amountvalue", "amountusd", "costusd", "amount", "cost", "billedcost", "totalcost", "total", "spend", "spendusd", "charge"],
  currency: ["amountcurrency", "currency", "billingcurrency"],
} as const;

/** Throws `CommandFailed` that names the line. Lines of one day and model are added up. */
export function readBill(name: string, text: string): BillLine[] {
  const [header, ...rows] = parseCsv(name, text.replace(/^\uFEFF/, ""));
  if (!header) throw new CommandFailed(`${name} is empty.`);
  const columns = columnsOf(name, header.cells);
  const sums = new Map<string, bigint>();
  for (const { cells, line } of rows) {
    if (cells.every((cell) => cell.trim() === "")) continue;
    const at = `${name}, line ${line}`;
    const currency = columns.currency === undefined ? "usd" : (cells[columns.currency] ?? "").trim().toLowerCase();
    const [dayText, amountText] = [cells[columns.day] ?? "", cells[columns.amount] ?? ""];
    // Bills end with a line of totals: it has no day.
    if (dayText.trim() === "" || amountText.trim() === "") continue;
    if (currency !== "" && currency !== "usd")
      throw new CommandFailed(`${at}: the amount is in ${currency.toUpperCase()}, and the ledger is in USD.`);
    const model = columns.model === undefined ? "" : modelOf(cells[columns.model] ?? "");
    const key = JSON.stringify([dayOf(at, dayText.trim()), model]);
    sums.set(key, (sums.get(key) ?? 0n) + picoOf(at, amountText.trim()));
  }
  if (sums.size === 0) throw new CommandFailed(`${name} holds no line with a day and an amount.`);
  return [...sums].map(([key, pico]) => {
    const [day, model] = JSON.parse(key) as [string, string];
    return { day, model: model === "" ? undefined : model, amount_usd: usdOf(pico) };
  });
}

const plain = (text: string): string => text.toLowerCase().replace(/[^a-z0-9]/g, "");

function columnsOf(name: string, header: readonly string[]) {
  const names = header.map(plain);
  const find = (known: readonly string[]): number | undefined => {
    const found = known.map((one) => names.indexOf(one)).find((place) => place >= 0);
    return found;
  };
  const [day, amount] = [find(COLUMNS.day), find(COLUMNS.amount)];
  const shown = header
    .map((cell) => cell.trim())
    .join(", ")
    .slice(0, 200);
  if (day === undefined) throw new CommandFailed(`${name} has no column of days (date, start_time_iso, …). It has: ${shown}.`);
  if (amount === undefined)
    throw new CommandFailed(`${name} has no column of amounts (amount, cost_usd, amount_value, …). It has: ${shown}.`);
  return { day, amount, model: find(COLUMNS.model), currency: find(COLUMNS.currency) };
}

/** OpenAI's export parts a model's line items: "gpt-4o-2024-08-06, cached input". */
const modelOf = (text: string): string =>
  text
    .trim()
    .replace(/,\s*(cached )?(input|output|audio input|audio output|image input|text|training)( tokens)?$/i, "")
    .trim();

function dayOf(at: string, text: string): string {
  const seconds = /^\d{10}$/.test(text) ? Number(text) * 1000 : /^\d{13}$/.test(text) ? Number(text) : undefined;
  // Without a zone it is UTC, as bills are. 11/12/2026 is two days, depending on who reads it.
  const iso = /^\d{4}-\d{2}-\d{2}$/.test(text) ? text : /^\d{4}-\d{2}-\d{2}[T ]/.test(text) ? zoned(text.replace(" ", "T")) : undefined;
  const unixMs = seconds ?? (iso === undefined ? Number.NaN : Date.parse(iso));
  if (Number.isNaN(unixMs))
    throw new CommandFailed(`${at}: "${text.slice(0, 40)}" is no day. It takes 2026-11-30, an ISO time or Unix seconds.`);
  return new Date(unixMs).toISOString().slice(0, 10);
}

const zoned = (text: string): string => (/(Z|[+-]\d{2}:?\d{2})$/.test(text) ? text : `${text}Z`);

const PICO_DIGITS = 12;

/** USD in 1e-12: bills have more decimals than nine, and only their sum is rounded. "$1,234.50", "(3.20)" and "1.2e-05" are amounts too. */
function picoOf(at: string, text: string): bigint {
  const bracketed = /^\((.*)\)$/.exec(text)?.[1];
  const bare = (bracketed ?? text).replace(/usd|\$|\s|,(?=\d{3}(\D|$))/gi, "");
  const decimal = plainDecimal(bare.replace(/^(-?)\./, (_, sign: string) => `${sign}0.`));
  if (decimal === undefined) throw new CommandFailed(`${at}: "${text.slice(0, 40)}" is no amount.`);
  const negative = decimal.startsWith("-") !== (bracketed !== undefined);
  const [whole = "0", fraction = ""] = decimal.replace("-", "").split(".");
  const pico = BigInt(whole + fraction.slice(0, PICO_DIGITS).padEnd(PICO_DIGITS, "0"));
  return negative ? -pico : pico;
}

/** To the nearest nano-USD. */
function usdOf(pico: bigint): string {
  const sign = pico < 0n ? "-" : "";
  const nano = ((pico < 0n ? -pico : pico) + 500n) / 1000n;
  const digits = nano.toString().padStart(10, "0");
  return `${sign}${digits.slice(0, -9)}.${digits.slice(-9)}`;
}

interface CsvRow {
  cells: string[];
  /** From 1. */
  line: number;
}

/** RFC 4180, with commas, semicolons or tabs between the cells: whichever the header has most of. */
function parseCsv(name: string, text: string): CsvRow[] {
  const head = text.slice(0, text.search(/\r|\n|$/));
  const separator = [",", ";", "\t"].reduce((best, one) => (head.split(one).length > head.split(best).length ? one : best));
  const rows: CsvRow[] = [];
  let row: CsvRow = { cells: [], line: 1 };
  let cell = "";
  let quoted = false;
  let line = 1;
  const endRow = (): void => {
    row.cells.push(cell);
    rows.push(row);
    cell = "";
  };
  for (let at = 0; at < text.length; at++) {
    const character = text[at] as string;
    if (character === "\n") line++;
    if (quoted) {
      if (character !== '"') cell += character;
      else if (text[at + 1] === '"') cell += text[++at];
      else quoted = false;
    } else if (character === '"' && cell === "") quoted = true;
    else if (character === separator) {
      row.cells.push(cell);
      cell = "";
    } else if (character === "\n") {
      endRow();
      row = { cells: [], line };
    } else if (character !== "\r") cell += character;
  }
  if (quoted) throw new CommandFailed(`${name}, line ${row.line}: a quoted cell does not end.`);
  if (cell !== "" || row.cells.length > 0) endRow();
  return rows;
}
