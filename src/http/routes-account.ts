// What callers see of themselves: their figures in Tollway's own words and in OpenRouter's.
import { accountDocument } from "../admin/account";
import { auditDocument, auditEntryDocument } from "../admin/account-audit";
import { limitsDocument } from "../admin/account-limits";
import { providersDocument } from "../admin/account-providers";
import { refuseOthers } from "../admin/account-query";
import { usageDocument } from "../admin/account-usage";
import { type Viewer, viewerOf } from "../admin/account-viewer";
import { decisionsDocument } from "../admin/decisions";
import { creditsDocument, generationDocument, keyDocumentOfOpenRouter } from "../admin/openrouter-account";
import { Failure } from "../core/failure";
import type { House, Route, RouteCall } from "./route";

const viewer = (call: RouteCall): Viewer => {
  if (!call.key) throw new Failure("invalid_api_key", "No API key came with the request.");
  return viewerOf(call.key);
};

const own = (path: string, handle: (viewer: Viewer, call: RouteCall, house: House) => object | Promise<object>): Route => ({
  method: "GET",
  path,
  access: "key",
  handle: (call, house) => handle(viewer(call), call, house),
});

/** A document that takes no parameters but `known`: what it does not heed is refused. */
const plain = (
  path: string,
  handle: (viewer: Viewer, call: RouteCall, house: House) => object | Promise<object>,
  known: readonly string[] = [],
) =>
  own(path, (who, call, house) => {
    refuseOthers(call.url.searchParams, known);
    return handle(who, call, house);
  });

const usage: Parameters<typeof own>[1] = (who, call, { ports }) => usageDocument(who, call.url.searchParams, ports);
const audit: Parameters<typeof own>[1] = (who, call, { ports }) => auditDocument(who, call.url.searchParams, ports);
const auditEntry: Parameters<typeof own>[1] = (who, call, { ports }) => auditEntryDocument(who, call.params["id"] ?? "", ports);

export const ACCOUNT_ROUTES: readonly Route[] = [
  plain("/v1/account", (who, _, { ports }) => accountDocument(who, ports)),
  own("/v1/usage", usage),
  own("/v1/audit", audit),
  plain("/v1/audit/:id", auditEntry),
  own("/v1/limits", (who, call, { ports }) => limitsDocument(who, call.url.searchParams, ports)),
  own("/v1/providers", (who, call, { everyProvider, ports }) => providersDocument(who, call.url.searchParams, everyProvider, ports)),
  // The same under the names that they had first.
  own("/v1/account/usage", usage),
  own("/v1/account/audit", audit),
  plain("/v1/account/audit/:id", auditEntry),

  plain("/v1/generation", (who, call, { ports }) => generationDocument(who, call.url.searchParams, ports), ["id"]),
  plain("/v1/key", (who, _, { ports }) => keyDocumentOfOpenRouter(who, ports)),
  plain("/v1/credits", (who, _, { ports }) => creditsDocument(who, ports)),

  {
    method: "GET",
    path: "/admin/v1/decisions",
    access: "admin",
    handle: (call, house) => decisionsDocument(call.url.searchParams, house.ports),
  },
];
