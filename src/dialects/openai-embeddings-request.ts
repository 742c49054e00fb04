// An embeddings request, both ways: a neutral request whose messages are its inputs, and which has no output.
// https://platform.openai.com/docs/api-reference/embeddings/create
import { z } from "zod";
import type { ChatRequest } from "../core/chat";
import { Failure } from "../core/failure";
import { type JsonEdit, spliceJson } from "../wire/json-splice";
import type { DecodedRequest, DoorDialect, EncodeContext, EncodedRequest } from "./dialect";
import { fitRequest, judgeField } from "./field-table";
import { OPENAI_EMBEDDINGS_FIELDS } from "./openai-embeddings-fields";
import { decodeInputs, textInputs } from "./openai-embeddings-input";
import type { JsonObject } from "./provider-json";
import { check } from "./request-check";

const EMBEDDINGS_PATH = "/embeddings";
const HONOURED: ReadonlySet<string> = new Set(Object.keys(OPENAI_EMBEDDINGS_FIELDS));
const ENCODING_FORMAT = "encoding_format";
const DIMENSIONS = "dimensions";

const Body = z.looseObject({
  model: z.string().min(1),
  input: z.unknown().optional(),
  encoding_format: z.enum(["float", "base64"]).nullish(),
  dimensions: z.int().min(1).nullish(),
  user: z.string().nullish(),
  stream: z.boolean().nullish(),
});

/** Everything but these stays in `rest`, by the caller's names. */
const READ: ReadonlySet<string> = new Set(["model", "input", "user"]);

/** Reads a parsed body. Throws `Failure` with the field's path in `param`. */
export function decodeEmbeddingsRequest(json: unknown): DecodedRequest {
  const body = check(Body, json);
  if (body.stream === true)
    throw new Failure("invalid_value", "Embeddings are not streamed: 'stream' can only be false.", { param: "stream" });
  const { messages, plain } = decodeInputs(body.input);
  const rest: Record<string, unknown> = Object.create(null);
  for (const [name, value] of Object.entries(json as JsonObject)) if (!READ.has(name)) rest[name] = value;
  if (!plain) rest["input"] = body.input;
  return {
    request: { model: body.model, messages, stream: false, maxOutputTokens: 0, user: body.user ?? undefined, rest },
    includeUsage: false,
    nameOf: (param) => param.replace(/^messages\b/, "input"),
  };
}

/** The caller's bytes for the provider. Throws `Failure` `unsupported_parameter` for a meaning that the provider refuses. */
export function forwardEmbeddingsRequest(
  bytes: Uint8Array,
  { request }: DecodedRequest,
  context: EncodeContext,
): ReturnType<DoorDialect["forwardRequest"]> {
  const ignored: string[] = [];
  const edits: JsonEdit[] = [];
  const { rest, user } = request;
  for (const [name, value] of Object.entries(user === undefined ? rest : { ...rest, user })) {
    if (name === "input") continue;
    if (name === ENCODING_FORMAT && !context.unsupported.includes(name)) continue;
    const verdict = judgeField(OPENAI_EMBEDDINGS_FIELDS, name, value, true, context);
    if (verdict === "send" && (name !== DIMENSIONS || context.deviations.dimensionsField === undefined)) continue;
    edits.push({ op: "remove", name });
    if (verdict === "send") edits.push({ op: "set", name: context.deviations.dimensionsField ?? name, value: JSON.stringify(value) });
    if (verdict === "omit-and-name") ignored.push(name);
  }
  if (request.model !== context.model) edits.push({ op: "set", name: "model", value: JSON.stringify(context.model) });
  const path = context.deviations.embeddingsPath ?? EMBEDDINGS_PATH;
  return { path, bytes: spliceJson(bytes, edits), headers: {}, ignored, maxOutputTokens: 0 };
}

/** For callers of another dialect. */
export function encodeEmbeddingsRequest(asked: ChatRequest, context: EncodeContext): EncodedRequest {
  const { request, ignored } = fitRequest(asked, OPENAI_EMBEDDINGS_FIELDS, HONOURED, context);
  const { dimensions, ...rest } = request.rest;
  const body = {
    ...rest,
    model: context.model,
    input: request.rest["input"] ?? textInputs(request),
    ...(dimensions === undefined ? {} : { [context.deviations.dimensionsField ?? DIMENSIONS]: dimensions }),
    ...(request.user === undefined ? {} : { user: request.user }),
  };
  const path = context.deviations.embeddingsPath ?? EMBEDDINGS_PATH;
  return { path, body: JSON.stringify(body), headers: {}, ignored, maxOutputTokens: 0 };
}
