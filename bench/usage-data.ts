// A year of traffic in one file: 10 million ledger rows over 365 days, 200 keys, 20 models, 500 tags, 50,000 users, all drawn evenly,
// which is the hardest case: the more alike the groups, the more of them each block has.
import { Database } from "bun:sqlite";
import { existsSync, mkdirSync, renameSync } from "node:fs";
import { dirname } from "node:path";

export const YEAR_MS = 365 * 86_400_000;
const ROWS_AT_ONCE = 250_000;
/** Every so many calls the first attempt fails and a second is made. */
const FALLBACK_EVERY = 33;

/** `n`: the row's number. `r(k)`: a number that depends on it alone. */
const INSERT = `
WITH RECURSIVE numbers(n) AS (SELECT $first UNION ALL SELECT n + 1 FROM numbers WHERE n < $last),
rows AS (
  SELECT n, (n % ${FALLBACK_EVERY} = 0) AS second, n - (n % ${FALLBACK_EVERY} = 0) AS call, ((n + 1) % ${FALLBACK_EVERY} = 0) AS failed,
    $start + CAST(n * $step AS INTEGER) - abs(random() % 20000) AS held_at, abs(random() % 200) AS k, abs(random() % 20) AS m,
    abs(random() % 6000) + 50 AS input, abs(random() % 900) + 1 AS output
  FROM numbers
)
INSERT INTO ledger (id, attempt_id, request_id, attempt_number, held_at, organization_id, key_id, team_id, project_id, mode, door, provider,
  model_requested, model_served, stream, tag, agent, run, user, tier, price_version, bound, settlement, usage_source, cost, input_tokens,
  output_tokens, cache_read_input_tokens, reasoning_output_tokens, upstream_status, error_code, finish_reason, latency_ms,
  time_to_first_chunk_ms, flags, settled_at)
SELECT n, request_id || '.' || (1 + second), request_id, 1 + second, held_at, 'default', printf('key_%012d', k), printf('team_%d', k % 8),
  printf('project_%d', k % 20), 'live', 'chat', printf('provider-%d', m % 6), printf('model-%d', m), printf('model-%d', m), n % 2,
  iif(n % 10 = 0, NULL, printf('tag-%d', abs(random() % 500))), iif(n % 3 = 0, printf('agent-%d', n % 9), NULL),
  iif(n % 3 = 0, printf('run-%d', n / 15), NULL), printf('user-%d@example.com', abs(random() % 50000)),
  CASE m % 3 WHEN 0 THEN 'simple' WHEN 1 THEN 'medium' ELSE 'complex' END, printf('2026-01-01/model-%d', m),
  (input + output * 4) * 2500, iif(failed, 'released', 'exact'), 'provider', iif(failed, 0, (input + output * 4) * (400 + m * 90)),
  iif(failed, NULL, input), iif(failed, NULL, output), iif(n % 2 = 0, input / 2, NULL), iif(m % 4 = 0, output / 3, NULL),
  iif(failed, 503, 200), iif(failed, 'upstream_error', NULL), iif(failed, NULL, 'stop'), 400 + abs(random() % 4000), 120, '[]', held_at + 2000
FROM (
  SELECT *, printf('%08x-%04x-7000-8000-%012x', ($start + CAST(call * $step AS INTEGER)) >> 16,
    ($start + CAST(call * $step AS INTEGER)) & 65535, call) AS request_id FROM rows
)`;

/** The file, made once: `prepare` opens it as the gateway does, so that it has the schema. */
export async function usageFile(path: string, rows: number, end: number, prepare: (path: string) => Promise<void>): Promise<void> {
  if (existsSync(path)) return;
  mkdirSync(dirname(path), { recursive: true });
  const making = `${path}.making`;
  await prepare(making);
  const database = new Database(making, { create: false, readwrite: true, strict: true });
  for (const pragma of ["synchronous = OFF", "cache_size = -1000000"]) database.run(`PRAGMA ${pragma}`);
  const insert = database.query(INSERT);
  const start = Date.now();
  for (let first = 1; first <= rows; first += ROWS_AT_ONCE) {
    insert.run({ first, last: Math.min(rows, first + ROWS_AT_ONCE - 1), start: end - YEAR_MS, step: YEAR_MS / rows });
    process.stderr.write(`\r${Math.min(rows, first + ROWS_AT_ONCE - 1)} of ${rows} rows, ${((Date.now() - start) / 1000).toFixed(0)} s `);
  }
  process.stderr.write("\n");
  insert.finalize();
  database.run("PRAGMA wal_checkpoint(TRUNCATE)");
  database.close(true);
  renameSync(making, path);
}
