// The ledger as a file, piece by piece: what is in memory is one page, however long the file gets. Amounts are decimal text.
import { Failure } from "../core/failure";
import type { KeyMode } from "../core/ids";
import { usdText } from "../core/money";
import type { LedgerRow, Ports } from "../core/ports";
import { readChoice, readWindow, refuseOthers } from "./account-query";
import { FOCUS_COLUMNS, type FocusNames } from "./focus";
import { DEFAULT_ORGANIZATION, organizationNamed } from "./organizations";

const FORMATS = ["csv", "jsonl", "focus"] as const;
export type ExportFormat = (typeof FORMATS)[number];
const MODES = ["live", "test"] as const satisfies readonly KeyMode[];

/** Rows read and written at once: a few milliseconds of the event loop. */
const ROWS_AT_ONCE = 250;
const NAMES_AT_ONCE = 1_000;

export interface LedgerExport {
  contentType: string;
  fileName: string;
  /** As many as there were at the beginning. */
  rows: number;
  /** The file's text. Throws where the ledger cannot be read any further. */
  pieces(): AsyncGenerator<string>;
}

type Value = string | number | boolean | null;

/** Columns of CSV and JSONL. Amounts are text: a float would lose what the last digits say. */
const COLUMNS: Readonly<Record<string, (row: LedgerRow) => Value>> = {
  id: (row) => row.id,
  request_id: (row) => row.requestId,
  attempt: (row) => row.attemptNumber,
  time: (row) => new Date(row.heldAt).toISOString(),
  settled_at: (row) => new Date(row.settledAt).toISOString(),
  organization_id: (row) => row.organizationId,
  team_id: (row) => row.teamId ?? null,
  project_id: (row) => row.projectId ?? null,
  key_id: (row) => row.keyId,
  mode: (row) => row.mode,
  door: (row) => row.door,
  provider: (row) => row.provider,
  model_requested: (row) => row.modelRequested,
  model_served: (row) => row.modelServed,
  stream: (row) => row.stream,
  tag: (row) => row.tag ?? null,
  user: (row) => row.user ?? null,
  agent: (row) => row.agent ?? null,
  run: (row) => row.run ?? null,
  tier: (row) => row.tier ?? null,
  intent: (row) => row.intent ?? null,
  status: (row) => (row.errorCode === undefined ? "ok" : "error"),
  error: (row) => row.errorCode ?? null,
  upstream_status: (row) => row.upstreamStatus ?? null,
  finish_reason: (row) => row.finishReason ?? null,
  settlement: (row) => row.settlement,
  usage_source: (row) => row.usageSource,
  input_tokens: (row) => row.usage?.inputTokens ?? null,
  output_tokens: (row) => row.usage?.outputTokens ?? null,
  cache_read_input_tokens: (row) => row.usage?.cacheReadInputTokens ?? null,
  cache_creation_input_tokens: (row) => row.usage?.cacheCreationInputTokens ?? null,
  reasoning_output_tokens: (row) => row.usage?.reasoningOutputTokens ?? null,
  cost_usd: (row) => (row.cost === undefined ? null : usdText(row.cost)),
  held_usd: (row) => (row.bound === undefined ? null : usdText(row.bound)),
  price_version: (row) => row.priceVersion ?? null,
  latency_ms: (row) => row.latencyMs,
  first_chunk_ms: (row) => row.timeToFirstChunkMs ?? null,
  flags: (row) => row.flags.join(" "),
};

/** `format`, `from`, `to`, `organization`, `mode` of the query. Throws 400 and 404 that name the field, before anything is written. */
export async function openExport(query: URLSearchParams, ports: Ports): Promise<LedgerExport> {
  refuseOthers(query, ["format", "from", "to", "organization", "mode"]);
  const format = readChoice(query, "format", FORMATS, "csv");
  const mode = readChoice(query, "mode", MODES, "live");
  if (format === "focus" && mode === "test") {
    throw new Failure("invalid_value", "mode is live in FOCUS: nothing of a test key is ever charged.", { param: "mode" });
  }
  const organization = organizationNamed(query.get("organization") ?? DEFAULT_ORGANIZATION, ports);
  const { from, to = ports.clock.now() } = readWindow(query);
  if (from !== undefined && from >= to) throw new Failure("invalid_value", "from is still to come.", { param: "from" });
  const asked = { organizationId: organization.id, mode, from, to };
  const { total } = await ports.rollups.usage({ ...asked, groupBy: "status", limit: 10 });
  const names = format === "focus" ? await namesOf(organization.id, organization.name, ports) : undefined;
  const write = writerOf(format, names);
  return {
    contentType: format === "jsonl" ? "application/x-ndjson" : "text/csv; charset=utf-8",
    fileName: `${ports.settings.brand.namespace}-${format}-${new Date(to).toISOString().slice(0, 10)}.${format === "jsonl" ? "jsonl" : "csv"}`,
    rows: total.attempts,
    async *pieces() {
      if (write.head !== undefined) yield write.head;
      let cursor: string | undefined;
      do {
        const page = await ports.rollups.rows({ ...asked, limit: ROWS_AT_ONCE, cursor });
        if (page.data.length > 0) yield page.data.map(write.row).join("");
        cursor = page.nextCursor;
      } while (cursor !== undefined);
    },
  };
}

interface RowWriter {
  head: string | undefined;
  row(row: LedgerRow): string;
}

function writerOf(format: ExportFormat, names: FocusNames | undefined): RowWriter {
  if (format === "jsonl") {
    const columns = Object.entries(COLUMNS);
    return { head: undefined, row: (row) => `${JSON.stringify(Object.fromEntries(columns.map(([name, value]) => [name, value(row)])))}\n` };
  }
  if (names === undefined) return csvOf(Object.keys(COLUMNS), Object.values(COLUMNS));
  return csvOf(
    Object.keys(FOCUS_COLUMNS),
    Object.values(FOCUS_COLUMNS).map((cell) => (row) => cell(row, names)),
  );
}

const csvOf = (names: readonly string[], values: readonly ((row: LedgerRow) => Value)[]): RowWriter => ({
  head: csvLine(names),
  row: (row) => csvLine(values.map((value) => value(row))),
});

const csvLine = (cells: readonly Value[]): string => `${cells.map(csvCell).join(",")}\r\n`;

/** What a spreadsheet would take for a formula begins with one of these; an apostrophe makes it text. https://owasp.org/www-community/attacks/CSV_Injection */
const FORMULA = /^[=+\-@\t\r\n]/;

/** RFC 4180. null is an empty cell. */
export function csvCell(value: Value): string {
  if (value === null) return "";
  if (typeof value !== "string") return String(value);
  const safe = FORMULA.test(value) ? `'${value}` : value;
  return /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}

async function namesOf(organizationId: string, organization: string, ports: Ports): Promise<FocusNames> {
  const keys = new Map<string, string>();
  let cursor: string | undefined;
  do {
    const page = await ports.keys.list(organizationId, { limit: NAMES_AT_ONCE, cursor });
    for (const key of page.data) keys.set(key.id, key.name);
    cursor = page.nextCursor;
  } while (cursor !== undefined);
  const projects = new Map(ports.directory.list("project", organizationId).map(({ id, name }) => [id, name]));
  return { organization, projects, keys };
}
