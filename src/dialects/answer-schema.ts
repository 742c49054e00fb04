// The schema of a structured answer, for dialects that take a bare schema.
import type { ResponseFormat } from "../core/chat";
import { type JsonObject, objectOf } from "./provider-json";

/** The schema with what the caller said of it: a description has no other place there. */
export function answerSchema({ schema, description }: Extract<ResponseFormat, { type: "json-schema" }>): JsonObject {
  const asked = objectOf(schema) ?? {};
  return description === undefined || asked["description"] !== undefined ? asked : { ...asked, description };
}
