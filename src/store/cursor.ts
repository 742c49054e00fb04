// Cursors of listings: opaque to callers, checked when they come back.
import { Failure } from "../core/failure";
import type { Page } from "../core/ports";

const MAX_LIMIT = 1_000;
const MAX_CURSOR_LENGTH = 512;

/** `kind` names the listing, so that a cursor of one is no cursor of another. */
export const cursorOf = (kind: string, after: string): string => Buffer.from(`${kind}:${after}`).toString("base64url");

export const badCursor = (): Failure =>
  new Failure("invalid_value", "The cursor is not one that this listing has given", { param: "cursor" });

/** What the cursor stands for; undefined: the first page. Throws `invalid_value` for a cursor or a limit that is not ours. */
export function readPage(kind: string, page: Page): string | undefined {
  if (!Number.isInteger(page.limit) || page.limit < 1 || page.limit > MAX_LIMIT) {
    throw new Failure("invalid_value", `limit must be a whole number from 1 to ${MAX_LIMIT}`, { param: "limit" });
  }
  if (page.cursor === undefined) return undefined;
  const text = page.cursor.length > MAX_CURSOR_LENGTH ? "" : Buffer.from(page.cursor, "base64url").toString();
  if (!text.startsWith(`${kind}:`) || cursorOf(kind, text.slice(kind.length + 1)) !== page.cursor) {
    throw badCursor();
  }
  return text.slice(kind.length + 1);
}
