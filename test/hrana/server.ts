// A small libSQL server: Hrana over HTTP (https://github.com/tursodatabase/libsql/blob/main/docs/HRANA_3_SPEC.md, JSON encoding)
// on bun:sqlite. One connection per stream, found again by its baton; good enough for @libsql/client and drizzle's migrator.
import { Database } from "bun:sqlite";

type Json = Record<string, unknown>;
type SqlValue = string | number | bigint | null | Uint8Array;

interface Stream {
  database: Database;
  /** Texts kept by store_sql. */
  texts: Map<number, string>;
}

export interface HranaServer {
  /** `http://127.0.0.1:port` */
  url: string;
  /** While set, every request that writes gets this SQLite error, as a server with a full disk answers. */
  fault: { code: string; message: string } | undefined;
  /** While set, connections are answered with 502, as a proxy does whose database is away. */
  away: boolean;
  /** The next pipeline is carried out and its answer lost. */
  loseNextAnswer: boolean;
  /** Requests so far. */
  pipelines: number;
  stop(): Promise<void>;
}

export interface HranaOptions {
  /** The database file. */
  path: string;
  /** Asked for as a bearer token when given. */
  authToken?: string | undefined;
}

export function serveHrana(options: HranaOptions): HranaServer {
  const streams = new Map<string, Stream>();
  let batons = 0;
  const state: HranaServer = { url: "", fault: undefined, away: false, loseNextAnswer: false, pipelines: 0, stop: async () => {} };

  const open = (baton: unknown): Stream | undefined => {
    if (typeof baton === "string") {
      const stream = streams.get(baton);
      streams.delete(baton);
      return stream;
    }
    const database = new Database(options.path, { create: true, readwrite: true, safeIntegers: true, strict: true });
    for (const pragma of ["busy_timeout = 1000", "journal_mode = WAL", "foreign_keys = ON"]) database.run(`PRAGMA ${pragma}`);
    return { database, texts: new Map() };
  };

  const pipeline = async (request: Request): Promise<Response> => {
    state.pipelines++;
    if (state.away) return new Response("bad gateway", { status: 502 });
    const body = (await request.json()) as { baton?: unknown; requests: Json[] };
    const stream = open(body.baton);
    if (stream === undefined) return Response.json({ message: "unknown baton", code: "BATON_INVALID" }, { status: 400 });
    let closed = false;
    const results = body.requests.map((ask): Json => {
      if (ask.type === "close") closed = true;
      try {
        return { type: "ok", response: answer(stream, ask, state.fault) };
      } catch (error) {
        return { type: "error", error: errorOf(error) };
      }
    });
    let baton: string | null = null;
    if (closed) {
      stream.database.close();
    } else {
      baton = `stream-${++batons}`;
      streams.set(baton, stream);
    }
    if (state.loseNextAnswer) {
      state.loseNextAnswer = false;
      return new Response("gateway timeout", { status: 504 });
    }
    return Response.json({ baton, base_url: null, results });
  };

  const server = Bun.serve({
    port: 0,
    hostname: "127.0.0.1",
    fetch(request) {
      const { pathname } = new URL(request.url);
      if (options.authToken !== undefined && request.headers.get("authorization") !== `Bearer ${options.authToken}`) {
        return Response.json({ message: "unauthorized", code: "AUTH" }, { status: 401 });
      }
      // The client asks which versions are spoken: JSON of 2 and 3, no protobuf.
      if (request.method === "GET") return new Response(null, { status: pathname === "/v2" || pathname === "/v3" ? 200 : 404 });
      if (pathname === "/v2/pipeline" || pathname === "/v3/pipeline") return pipeline(request);
      return new Response("not found", { status: 404 });
    },
  });

  state.url = `http://127.0.0.1:${server.port}`;
  state.stop = async () => {
    await server.stop(true);
    for (const stream of streams.values()) stream.database.close();
  };
  return state;
}

function answer(stream: Stream, ask: Json, fault: HranaServer["fault"]): Json {
  switch (ask.type) {
    case "close":
      return { type: "close" };
    case "execute":
      return { type: "execute", result: execute(stream, ask.stmt as Json, fault) };
    case "batch":
      return { type: "batch", result: batch(stream, ask.batch as Json, fault) };
    case "sequence":
      stream.database.exec(textOf(stream, ask));
      return { type: "sequence" };
    case "store_sql":
      stream.texts.set(ask.sql_id as number, ask.sql as string);
      return { type: "store_sql" };
    case "close_sql":
      stream.texts.delete(ask.sql_id as number);
      return { type: "close_sql" };
    case "get_autocommit":
      return { type: "get_autocommit", is_autocommit: !stream.database.inTransaction };
    default:
      throw Object.assign(new Error(`unknown request ${String(ask.type)}`), { code: "UNKNOWN_REQUEST" });
  }
}

function textOf(stream: Stream, from: Json): string {
  const text = typeof from.sql === "string" ? from.sql : stream.texts.get(from.sql_id as number);
  if (text === undefined) throw Object.assign(new Error("unknown sql_id"), { code: "SQL_NOT_FOUND" });
  return text;
}

function execute(stream: Stream, statement: Json, fault: HranaServer["fault"]): Json {
  const sql = textOf(stream, statement);
  if (fault !== undefined && /^\s*(insert|update|delete)/i.test(sql)) throw Object.assign(new Error(fault.message), { code: fault.code });
  const prepared = stream.database.prepare<unknown, SqlValue[]>(sql);
  const named = ((statement.named_args ?? []) as { name: string; value: Json }[]).map(({ name, value }) => [
    name.replace(/^[:@$]/, ""),
    decode(value),
  ]);
  // Names or positions: a statement uses one of the two.
  const args = (named.length > 0 ? [Object.fromEntries(named)] : ((statement.args ?? []) as Json[]).map(decode)) as SqlValue[];
  const names = prepared.columnNames;
  const before = totalChanges(stream.database);
  const rows = prepared.values(...args) as SqlValue[][];
  const result = {
    cols: names.map((name) => ({ name, decltype: null })),
    rows: rows.map((row) => row.map(encode)),
    affected_row_count: totalChanges(stream.database) - before,
    last_insert_rowid: String(stream.database.query<{ id: bigint }, []>("SELECT last_insert_rowid() AS id").get()?.id ?? 0n),
  };
  prepared.finalize();
  return result;
}

const totalChanges = (database: Database): number =>
  Number(database.query<{ n: bigint }, []>("SELECT total_changes() AS n").get()?.n ?? 0n);

function batch(stream: Stream, ask: Json, fault: HranaServer["fault"]): Json {
  const results: (Json | null)[] = [];
  const errors: (Json | null)[] = [];
  for (const step of ask.steps as Json[]) {
    let result: Json | null = null;
    let error: Json | null = null;
    if (step.condition === undefined || step.condition === null || holds(stream, step.condition as Json, results, errors)) {
      try {
        result = execute(stream, step.stmt as Json, fault);
      } catch (thrown) {
        error = errorOf(thrown);
      }
    }
    results.push(result);
    errors.push(error);
  }
  return { step_results: results, step_errors: errors };
}

function holds(stream: Stream, condition: Json, results: (Json | null)[], errors: (Json | null)[]): boolean {
  const parts = () => (condition.conds as Json[]).map((part) => holds(stream, part, results, errors));
  switch (condition.type) {
    case "ok":
      return results[condition.step as number] !== null;
    case "error":
      return errors[condition.step as number] !== null;
    case "not":
      return !holds(stream, condition.cond as Json, results, errors);
    case "and":
      return parts().every(Boolean);
    case "or":
      return parts().some(Boolean);
    case "is_autocommit":
      return !stream.database.inTransaction;
    default:
      throw Object.assign(new Error(`unknown condition ${String(condition.type)}`), { code: "UNKNOWN_CONDITION" });
  }
}

function decode(value: Json): SqlValue {
  switch (value.type) {
    case "null":
      return null;
    case "integer":
      return BigInt(value.value as string);
    case "float":
      return value.value as number;
    case "text":
      return value.value as string;
    case "blob":
      return Buffer.from(value.base64 as string, "base64");
    default:
      throw Object.assign(new Error(`unknown value ${String(value.type)}`), { code: "UNKNOWN_VALUE" });
  }
}

function encode(value: SqlValue): Json {
  if (value === null) return { type: "null" };
  if (typeof value === "bigint") return { type: "integer", value: value.toString() };
  if (typeof value === "number") return { type: "float", value };
  if (typeof value === "string") return { type: "text", value };
  return { type: "blob", base64: Buffer.from(value).toString("base64") };
}

/** A server names the primary code (`SQLITE_CONSTRAINT`), not the extended one. */
function errorOf(thrown: unknown): Json {
  const error = thrown instanceof Error ? thrown : new Error(String(thrown));
  const code = "code" in error && typeof error.code === "string" ? error.code : "SQLITE_ERROR";
  return { message: `${code}: ${error.message}`, code: code.split("_").slice(0, 2).join("_") };
}
