// Files that are text, for dialects that take text but no files.

import type { Part } from "../core/chat";
import { Failure } from "../core/failure";

/**
 * The text of a file that was sent by value as text/*; undefined for any other file. `param` is the part's place.
 * Throws `invalid_value` where the data is not base64 of UTF-8.
 */
export function textOfFile({ media }: Extract<Part, { type: "file" }>, param: string): string | undefined {
  if (media.kind !== "base64" || !/^(?:text\/|application\/json\b)/.test(media.mediaType)) return undefined;
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(Uint8Array.from(atob(media.data), (character) => character.charCodeAt(0)));
  } catch (cause) {
    throw new Failure("invalid_value", "The file's data is not base64 of UTF-8 text", { param: `${param}.file.file_data`, cause });
  }
}
