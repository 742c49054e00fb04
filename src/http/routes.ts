// Every route and who may use it. What is not in this list does not exist; what is not "public" needs a key.
import { modelDocument, modelList, viewFor } from "../admin/models";
import type { ApiKey } from "../core/exchange";
import { Failure } from "../core/failure";
import { CHAT_DOOR, COUNT_TOKENS_DOOR, EMBEDDINGS_DOOR, MESSAGES_DOOR, RESPONSES_DOOR } from "../gateway/door";
import { serve } from "../gateway/serve";
import type { House, Route, RouteCall } from "./route";
import { ACCOUNT_ROUTES } from "./routes-account";
import { ADMIN_ROUTES } from "./routes-admin";
import { CREDENTIAL_ROUTES } from "./routes-credentials";
import { EXPORT_ROUTES } from "./routes-export";
import { OPENAI_ADMIN_ROUTES } from "./routes-openai-admin";
import { RUN_ROUTES } from "./routes-runs";
import { WEBHOOK_ROUTES } from "./routes-webhooks";

export type { Access, House, Route, RouteCall } from "./route";

/** A model's id out of a path. What is no escape at all is the id of no model. */
function decodedId(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

const ownKey = (call: RouteCall): ApiKey => {
  if (!call.key) throw new Failure("invalid_api_key", "No API key came with the request.");
  return call.key;
};

const status = (call: RouteCall, ready: ReturnType<House["readiness"]>): Response =>
  new Response(JSON.stringify(ready.ready ? { status: "ok" } : { status: "unavailable", reason: ready.reason }), {
    status: ready.ready ? 200 : 503,
    headers: { "content-type": "application/json", "x-request-id": call.requestId },
  });

export const ROUTES: readonly Route[] = [
  { method: "POST", path: "/v1/chat/completions", access: "line", handle: (call, house) => serve(call.request, CHAT_DOOR, house.ports) },
  { method: "POST", path: "/v1/responses", access: "line", handle: (call, house) => serve(call.request, RESPONSES_DOOR, house.ports) },
  { method: "POST", path: "/v1/messages", access: "line", handle: (call, house) => serve(call.request, MESSAGES_DOOR, house.ports) },
  {
    method: "POST",
    path: "/v1/messages/count_tokens",
    access: "line",
    handle: (call, house) => serve(call.request, COUNT_TOKENS_DOOR, house.ports),
  },
  { method: "POST", path: "/v1/embeddings", access: "line", handle: (call, house) => serve(call.request, EMBEDDINGS_DOOR, house.ports) },

  // Claude Code asks whether anybody is there before it sends a key.
  { method: "HEAD", path: "/", access: "public", handle: (call) => new Response(null, { headers: { "x-request-id": call.requestId } }) },
  { method: "GET", path: "/health", access: "public", handle: () => ({ status: "ok" }) },
  { method: "GET", path: "/livez", access: "public", handle: () => ({ status: "ok" }) },
  { method: "GET", path: "/readyz", access: "public", handle: (call, house) => status(call, house.readiness()) },

  {
    method: "GET",
    path: "/v1/models",
    access: "key",
    handle: (call, house) => modelList(viewFor(ownKey(call), house.everyProvider, house.ports), call.url.searchParams),
  },
  {
    method: "GET",
    path: "/v1/models/*",
    access: "key",
    handle: (call, house) => modelDocument(decodedId(call.params["*"] ?? ""), viewFor(ownKey(call), house.everyProvider, house.ports)),
  },

  ...ACCOUNT_ROUTES,
  ...RUN_ROUTES,
  ...OPENAI_ADMIN_ROUTES,
  ...ADMIN_ROUTES,

  ...WEBHOOK_ROUTES,
  ...CREDENTIAL_ROUTES,
  ...EXPORT_ROUTES,
];
