// How the providers are, as far as this organization's own latest calls show it. Where nobody called, nothing is known and nothing is said.
import type { LedgerRow, Ports } from "../core/ports";
import { refuseOthers } from "./account-query";
import type { Viewer } from "./account-viewer";

/** Calls looked at: the newest of the last quarter of an hour. */
const SAMPLE_CALLS = 200;
const SAMPLE_MS = 15 * 60_000;
/** Of a provider's attempts, from where on it is not well, and from where on it is down. */
const DEGRADED_SHARE = 0.05;
const DOWN_SHARE = 0.5;

/** What is the caller's own doing says nothing of the provider: these do. */
const PROVIDER_CODES: ReadonlySet<string> = new Set(["upstream_error", "upstream_timeout", "stream_truncated", "provider_auth_failed"]);

export async function providersDocument(
  viewer: Viewer,
  query: URLSearchParams,
  everyProvider: readonly string[],
  ports: Ports,
): Promise<object> {
  refuseOthers(query, []);
  const from = ports.clock.now() - SAMPLE_MS;
  // Never narrowed to one key: providers are the organization's, and figures of health name nobody.
  const { data } = await ports.records.audit({ organizationId: viewer.organizationId, from, limit: SAMPLE_CALLS });
  const rows = data.flatMap((entry) => (entry.mode === viewer.mode ? entry.attempts : []));
  const attempts = Map.groupBy(rows, (row) => row.provider);
  const connected = new Set(
    ports.connections.connected(viewer.organizationId, viewer.key?.policy.projectId).map(({ provider }) => provider),
  );
  const names = [...new Set([...everyProvider, ...connected, ...attempts.keys()])];
  return {
    object: "list",
    sample: { from: new Date(from).toISOString(), calls: data.length },
    data: names.map((provider) => ({
      object: "provider",
      provider,
      connected: connected.has(provider),
      ...healthOf(attempts.get(provider) ?? []),
    })),
  };
}

function healthOf(rows: readonly LedgerRow[]): object {
  const failed = rows.filter((row) => row.errorCode !== undefined && PROVIDER_CODES.has(row.errorCode));
  const errors = Map.groupBy(failed, (row) => row.errorCode as string);
  const whole = rows.filter((row) => row.errorCode === undefined);
  return {
    status: statusOf(rows.length, failed.length),
    attempts: rows.length,
    errors: Object.fromEntries([...errors].map(([code, members]) => [code, members.length])),
    latency_ms: spread(whole.map((row) => row.latencyMs)),
    first_chunk_ms: spread(whole.flatMap((row) => row.timeToFirstChunkMs ?? [])),
    last_call_at: rows[0] === undefined ? null : new Date(Math.max(...rows.map((row) => row.settledAt))).toISOString(),
  };
}

function statusOf(attempts: number, failed: number): "unknown" | "healthy" | "degraded" | "down" {
  if (attempts === 0) return "unknown";
  const share = failed / attempts;
  return share >= DOWN_SHARE ? "down" : share > DEGRADED_SHARE ? "degraded" : "healthy";
}

/** null: nothing was measured. */
function spread(figures: readonly number[]): { p50: number; p95: number } | null {
  if (figures.length === 0) return null;
  const sorted = figures.toSorted((a, b) => a - b);
  const at = (share: number): number => Math.round(sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0);
  return { p50: at(0.5), p95: at(0.95) };
}
