// How a Responses stream says that it broke: an `error` event, and `response.failed` behind it, as OpenAI sends both. Some clients
// (OpenAI's own) stop at the first; others (Codex) read only the second, and take a stream without it for a lost connection.
import type { FailureBody } from "./dialect";
import type { JsonObject } from "./provider-json";

/** Codes that clients act on. The API's list of a failed answer's codes has one word for the rest. */
const CODES: ReadonlySet<string> = new Set(["rate_limit_exceeded", "context_length_exceeded"]);
const OTHER_CODE = "server_error";

/**
 * The frames that end a broken stream. `response`: the answer as it was written last, of which a failed one is made; absent where
 * none was. `sequenceNumber`: of the first of the frames.
 */
export function responsesFailureFrame(failure: FailureBody, sequenceNumber: number, extensionName: string, response?: JsonObject): string {
  const { message, type, code, param } = failure;
  // OpenAI documents the flat members and sends the inner object: clients read one or the other.
  const error = { type, code, message, param, [extensionName]: failure.facts };
  const said = frameOf({ type: "error", sequence_number: sequenceNumber, code, message, param, error });
  if (!response) return said;
  const failed = {
    ...response,
    status: "failed",
    error: { code: CODES.has(code) ? code : OTHER_CODE, message },
    [extensionName]: failure.facts,
  };
  return said + frameOf({ type: "response.failed", sequence_number: sequenceNumber + 1, response: failed });
}

const frameOf = (event: { type: string } & JsonObject): string => `event: ${event.type}\ndata: ${JSON.stringify(event)}\n\n`;
