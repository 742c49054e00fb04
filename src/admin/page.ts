// Pages of what is in memory whole: newest first, with cursors that stay good when entries go.
import { Failure } from "../core/failure";
import type { Listing, Page } from "../core/ports";

const MAX_PAGE = 1000;
const DEFAULT_PAGE = 100;

/** `cursor` and `limit` of a query. Throws `invalid_value`. */
export function pageAsked(query: URLSearchParams): Page {
  const text = query.get("limit");
  const limit = text === null ? DEFAULT_PAGE : /^\d{1,4}$/.test(text) ? Number(text) : 0;
  if (limit < 1 || limit > MAX_PAGE) throw new Failure("invalid_value", `limit takes 1 to ${MAX_PAGE}.`, { param: "limit" });
  return { cursor: query.get("cursor") ?? undefined, limit };
}

interface Made {
  readonly id: string;
  /** Unix milliseconds. */
  readonly createdAt: number;
}

const isNewer = (a: Made, b: Made): boolean => a.createdAt > b.createdAt || (a.createdAt === b.createdAt && a.id > b.id);

/** One page. `kind` names the listing, so that a cursor of one is none of another. Throws `invalid_value` for a cursor that is not ours. */
export function pageOf<T extends Made>(kind: string, records: readonly T[], page: Page): Listing<T> {
  const sorted = [...records].sort((a, b) => (isNewer(a, b) ? -1 : 1));
  const after = page.cursor === undefined ? undefined : readCursor(kind, page.cursor);
  const rest = after === undefined ? sorted : sorted.filter((record) => isNewer(after, record));
  const data = rest.slice(0, page.limit);
  const last = data.at(-1);
  return { data, nextCursor: last !== undefined && rest.length > data.length ? cursorOf(kind, last) : undefined };
}

const cursorOf = (kind: string, { createdAt, id }: Made): string => Buffer.from(`${kind}:${createdAt}:${id}`).toString("base64url");

function readCursor(kind: string, cursor: string): Made {
  const match = /^([a-z-]+):(\d{1,15}):(.{1,100})$/.exec(Buffer.from(cursor.slice(0, 512), "base64url").toString());
  const [, of, createdAt = "", id = ""] = match ?? [];
  const read = { createdAt: Number(createdAt), id };
  if (of !== kind || cursorOf(kind, read) !== cursor)
    throw new Failure("invalid_value", "The cursor is not one that this listing has given.", { param: "cursor" });
  return read;
}

/** A listing's document. */
export interface ListDocument {
  object: "list";
  data: object[];
  next_cursor: string | null;
}

export const listDocument = <T>(listing: Listing<T>, document: (entry: T) => object): ListDocument => ({
  object: "list",
  data: listing.data.map(document),
  next_cursor: listing.nextCursor ?? null,
});
