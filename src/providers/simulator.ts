// The provider behind test keys. It speaks Chat Completions and Embeddings in this process, says the same thing every time it is asked
// the same, and fails on request: a message may hold "[[simulate: status=429 retry-after=2]]". Directives: status, retry-after
// (seconds), delay and pace (ms), cut (chunks after which the stream breaks), garbage, no-usage.
import type { Clock, DialRequest, DialResponse } from "../core/ports";
import { DialError } from "../core/ports";
import { openaiChat } from "../dialects/openai-chat";
import { openaiEmbeddings } from "../dialects/openai-embeddings";
import type { Provider } from "./provider";
import { type Directives, readDirectives, type SimulatedRequest, simulateAnswer } from "./simulator-answer";
import { lastInput, refuseEmbeddings, type SimulatedEmbeddings, simulateEmbeddings } from "./simulator-embeddings";

export const simulator: Provider = {
  name: "simulator",
  aliases: [],
  displayName: "Simulator",
  baseUrl: "simulator:",
  keyVariable: "",
  auth: { scheme: "bearer" },
  headers: {},
  operations: [
    { does: "chat", dialect: openaiChat },
    { does: "embeddings", dialect: openaiEmbeddings },
  ],
  unsupported: [],
  deviations: {},
  onCallerGone: "cancel",
  families: [],
  autoModels: {},
  passHeaders: [],
  inProcess: simulate,
};

const JSON_TYPE = new Map([["content-type", "application/json"]]);

async function simulate(request: DialRequest, clock: Clock, signal: AbortSignal): Promise<DialResponse> {
  const text = typeof request.body === "string" ? request.body : new TextDecoder().decode(request.body);
  if (request.url.endsWith("/embeddings")) return embed(JSON.parse(text) as SimulatedEmbeddings, clock, signal);
  const asked = JSON.parse(text) as SimulatedRequest;
  const directives = readDirectives(asked);
  const early = await beforeAnswer(directives, clock, signal);
  if (early) return early;
  const answer = simulateAnswer(asked, clock.now());
  if (asked.stream !== true) return wholeAnswer(JSON.stringify(answer.whole), 200, JSON_TYPE);
  return streamAnswer(answer.chunks, directives, clock, signal);
}

async function embed(asked: SimulatedEmbeddings, clock: Clock, signal: AbortSignal): Promise<DialResponse> {
  const directives = readDirectives({ model: asked.model, messages: [{ role: "user", content: lastInput(asked) }] });
  const early = await beforeAnswer(directives, clock, signal);
  if (early) return early;
  const refusal = refuseEmbeddings(asked);
  if (refusal) return wholeAnswer(JSON.stringify({ error: { ...refusal, type: "invalid_request_error", code: null } }), 400, JSON_TYPE);
  return wholeAnswer(JSON.stringify(simulateEmbeddings(asked, directives.noUsage)), 200, JSON_TYPE);
}

/** What was asked for instead of an answer. */
async function beforeAnswer(directives: Directives, clock: Clock, signal: AbortSignal): Promise<DialResponse | undefined> {
  if (directives.delayMs > 0) await pause(directives.delayMs, clock, signal);
  if (directives.status !== undefined) return errorAnswer(directives);
  return directives.garbage ? wholeAnswer("<html>not an answer</html>", 200, JSON_TYPE) : undefined;
}

async function pause(ms: number, clock: Clock, signal: AbortSignal): Promise<void> {
  try {
    await clock.sleep(ms, signal);
  } catch (cause) {
    throw new DialError("aborted", "The call was ended while the simulator waited", cause);
  }
}

function errorAnswer(directives: Directives): DialResponse {
  const status = directives.status ?? 500;
  const headers = new Map(JSON_TYPE);
  if (directives.retryAfterSeconds !== undefined) headers.set("retry-after", String(directives.retryAfterSeconds));
  const type = status === 429 ? "rate_limit_error" : status >= 500 ? "server_error" : "invalid_request_error";
  return wholeAnswer(
    JSON.stringify({ error: { message: `Simulated error ${status}.`, type, param: null, code: `simulated_${status}` } }),
    status,
    headers,
  );
}

function wholeAnswer(text: string, status: number, headers: ReadonlyMap<string, string>): DialResponse {
  const bytes = new TextEncoder().encode(text);
  return { status, headers, body: new Blob([bytes]).stream(), bytes: async () => bytes };
}

/** Chunks in the model's rhythm: one each `paceMs`, by the clock that came in. */
function streamAnswer(chunks: readonly object[], directives: Directives, clock: Clock, signal: AbortSignal): DialResponse {
  let sent = 0;
  const encoder = new TextEncoder();
  const body = new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        if (sent > 0 && directives.paceMs > 0) await pause(directives.paceMs, clock, signal);
        if (directives.cutAfter !== undefined && sent >= directives.cutAfter) {
          controller.error(new Error("The simulated connection broke"));
          return;
        }
        const chunk = chunks[sent++];
        controller.enqueue(encoder.encode(chunk ? `data: ${JSON.stringify(chunk)}\n\n` : "data: [DONE]\n\n"));
        if (!chunk) controller.close();
      },
    },
    { highWaterMark: 0 },
  );
  return {
    status: 200,
    headers: new Map([["content-type", "text/event-stream"]]),
    body,
    bytes: async () => new Uint8Array(await new Response(body).arrayBuffer()),
  };
}
