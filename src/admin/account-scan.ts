// Listings of calls by what they were. Filters are looked at here, over a bounded stretch of the audit: a page may hold fewer calls than
// its limit, or none, and still have a next one. So no filter, however rare what it asks for, can hold up the calls in flight.
import type { AuditEntry, AuditQuery, LedgerRow, Listing, Ports } from "../core/ports";
import { readValues } from "./account-query";
import type { Viewer } from "./account-viewer";
import { giveWay } from "./give-way";

const SCAN_PAGE = 100;
/** Calls looked at for one page. */
const SCAN_MAX = 2_000;

export interface Scan {
  viewer: Viewer;
  cursor: string | undefined;
  limit: number;
  from: number | undefined;
  to: number | undefined;
}

/** Newest first. `wanted` undefined: every call. */
export async function scanAudit(
  scan: Scan,
  wanted: ((entry: AuditEntry) => boolean) | undefined,
  ports: Ports,
): Promise<Listing<AuditEntry>> {
  const { viewer, limit, from, to } = scan;
  const query: AuditQuery = { organizationId: viewer.organizationId, keyId: viewer.onlyKeyId, from, to, cursor: scan.cursor, limit };
  // A key's calls are all of its own mode; an organization has both.
  if (wanted === undefined && viewer.onlyKeyId !== undefined) return ports.records.audit(query);
  const data: AuditEntry[] = [];
  let cursor = scan.cursor;
  for (let seen = 0; seen < SCAN_MAX; seen += SCAN_PAGE) {
    const page = await ports.records.audit({ ...query, cursor, limit: SCAN_PAGE });
    for (const [at, entry] of page.data.entries()) {
      if (entry.mode !== viewer.mode || wanted?.(entry) === false) continue;
      data.push(entry);
      if (data.length < limit) continue;
      if (at === page.data.length - 1) return { data, nextCursor: page.nextCursor };
      // Cursors are the store's own: the one behind this entry is that of a page which ends with it.
      return { data, nextCursor: (await ports.records.audit({ ...query, cursor, limit: at + 1 })).nextCursor };
    }
    cursor = page.nextCursor;
    if (cursor === undefined) break;
    await giveWay();
  }
  return { data, nextCursor: cursor };
}

/** What calls can be listed by. Every one of an entry's attempts may be the one that is meant. */
const FILTERS: Readonly<Record<string, (entry: AuditEntry) => readonly (string | undefined)[]>> = {
  key: (entry) => [entry.keyId],
  model: (entry) => [entry.modelRequested, ...entry.attempts.map((row) => row.modelServed)],
  provider: (entry) => entry.attempts.map((row) => row.provider),
  tag: (entry) => [entry.tag],
  user: first((row) => row.user),
  agent: first((row) => row.agent),
  run: first((row) => row.run),
  team: first((row) => row.teamId),
  project: first((row) => row.projectId),
  tier: first((row) => row.tier),
  status: (entry) => [entry.status],
  error: (entry) => [entry.errorCode],
  door: (entry) => [entry.door],
};

function first(read: (row: LedgerRow) => string | undefined): (entry: AuditEntry) => readonly (string | undefined)[] {
  return (entry) => entry.attempts.slice(0, 1).map(read);
}

export const CALL_FILTERS: readonly string[] = Object.keys(FILTERS);

/** undefined: the query asks for every call. */
export function readCallFilter(query: URLSearchParams): ((entry: AuditEntry) => boolean) | undefined {
  const asked = Object.entries(FILTERS).flatMap(([name, of]) => {
    const values = readValues(query, name);
    return values === undefined ? [] : [{ of, values }];
  });
  if (asked.length === 0) return undefined;
  return (entry) => asked.every(({ of, values }) => of(entry).some((value) => value !== undefined && values.includes(value)));
}
