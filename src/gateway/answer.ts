// answer: the response leaves. A whole answer with its cost in the headers; a stream pulled by the caller's own pace.
import { usdText } from "../core/money";
import type { Ports } from "../core/ports";
import { providerNamed } from "../providers/registry";
import { savedUsd } from "./answer-context";
import { brandHeaders } from "./brand-headers";
import type { Called } from "./call";
import type { Door } from "./door";
import type { LiveStream } from "./live-stream";
import { passedHeaders } from "./passed-headers";

export function answer(called: Called, door: Door, ports: Ports): Response {
  const headers = answerHeaders(called, ports);
  if (door.dialect.requestIdHeader !== undefined) headers[door.dialect.requestIdHeader] = called.requestId;
  switch (called.answer.kind) {
    case "whole":
      headers["content-type"] = "application/json";
      return new Response(called.answer.body as BodyInit, { headers });
    case "stream":
      headers["content-type"] = door.dialect.streamType;
      headers["cache-control"] = "no-cache";
      headers["x-accel-buffering"] = "no";
      return new Response(readable(called.answer.live), { headers });
  }
}

/** A plain object: the response copies it in one step. */
function answerHeaders(called: Called, ports: Ports): Record<string, string> {
  const { attempt, answer: first, requestId } = called;
  const { target } = attempt;
  const names = brandHeaders(ports.settings.brand);
  const headers = passedHeaders(providerNamed(target.provider), first.headers, attempt.connection);
  Object.assign(headers, called.claim?.headers);
  headers["x-request-id"] = requestId;
  headers[names.requestId] = requestId;
  headers[names.route] = "governed";
  headers[names.source] = "upstream";
  headers[names.provider] = target.provider;
  headers[names.modelRequested] = headerText(called.request.model);
  headers[names.modelServed] = headerText(target.model);
  headers[names.fallback] = String(target !== called.targets[0]);
  headers[names.attempts] = String(attempt.number);
  const { ignored } = target.outgoing;
  if (ignored.length > 0) headers[names.ignored] = headerText(ignored.join(","));
  if (target.injectedMaxTokens !== undefined && target.injectedMaxTokens > 0) headers[names.maxTokens] = String(target.injectedMaxTokens);
  if (first.kind === "whole" && first.costUsd !== undefined) {
    headers[names.costUsd] = usdText(first.costUsd);
    const saved = savedUsd(called, first.costUsd, first.usage);
    if (saved !== undefined) headers[names.savedUsd] = usdText(saved);
  }
  return headers;
}

/** A model's name as a header value: what is not printable ASCII is percent-encoded. */
const headerText = (text: string): string =>
  (PRINTABLE.test(text) ? text : text.toWellFormed().replace(/[^\x20-\x7e]/gu, encodeURIComponent)).slice(0, 512);

const PRINTABLE = /^[\x20-\x7e]*$/;

/** `pull` always enqueues or closes: a pull that does neither is never repeated. */
const readable = (live: LiveStream): ReadableStream<Uint8Array> =>
  new ReadableStream<Uint8Array>({
    start(controller) {
      live.onCut(() => controller.error(new Error("The caller stopped reading.")));
    },
    async pull(controller) {
      const bytes = await live.next();
      if (bytes) controller.enqueue(bytes);
      else controller.close();
    },
    cancel() {
      live.callerGone();
    },
  });
