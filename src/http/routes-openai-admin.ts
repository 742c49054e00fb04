// OpenAI's Admin API: its stock SDK as the account client. For the admin key, and, to look only, for keys of role read.

import type { Viewer } from "../admin/account-viewer";
import type { KnownModels } from "../admin/key-terms";
import {
  adminKeyCreated,
  adminKeyDeleted,
  adminKeyDocument,
  adminKeyList,
  adminViewer,
  projectCreated,
  projectDocument,
  projectKeyDeleted,
  projectKeyDocument,
  projectKeyList,
  projectList,
  projectRateLimits,
  projectUpdated,
  refuseReader,
} from "../admin/openai-admin";
import { auditLogList } from "../admin/openai-admin-audit";
import { spendLimitDeleted, spendLimitDocument, spendLimitSet } from "../admin/openai-admin-spend";
import { costBuckets, USAGE_ENDPOINTS, usageBuckets } from "../admin/openai-admin-usage";
import { inTurn } from "../admin/turn";
import type { Ports } from "../core/ports";
import type { Route, RouteCall } from "./route";

interface Asked {
  readonly viewer: Viewer;
  readonly query: URLSearchParams;
  /** Of a POST. */
  readonly body: unknown;
  readonly ports: Ports;
  /** undefined: the path names none. */
  readonly project: string | undefined;
  /** A parameter of the path. */
  id(name: string): string;
}

type Handle = (asked: Asked) => object | Promise<object>;

const ROOT = "/v1/organization";

function at(method: Route["method"], path: string, handle: Handle): Route {
  return {
    method,
    path: ROOT + path,
    access: "reader",
    async handle(call, { ports }) {
      const viewer = adminViewer(call.key, call.request.headers.get("openai-organization"), ports);
      if (method === "GET") return handle(askedOf(call, viewer, undefined, ports));
      refuseReader(viewer);
      // The body is read before the turn: one that never comes holds nobody up.
      const body = method === "POST" ? await call.json() : undefined;
      return inTurn(ports, async () => handle(askedOf(call, viewer, body, ports)));
    },
  };
}

const askedOf = (call: RouteCall, viewer: Viewer, body: unknown, ports: Ports): Asked => ({
  viewer,
  query: call.url.searchParams,
  body,
  ports,
  project: call.params["project"],
  id: (name) => call.params[name] ?? "",
});

const get = (path: string, handle: Handle): Route => at("GET", path, handle);
const post = (path: string, handle: Handle): Route => at("POST", path, handle);
const remove = (path: string, handle: Handle): Route => at("DELETE", path, handle);

/** A key that calls nothing needs no list of models. */
const NO_MODELS: KnownModels = { providers: [], isOfFamily: () => false };

export const OPENAI_ADMIN_ROUTES: readonly Route[] = [
  ...Object.entries(USAGE_ENDPOINTS).map(([name, endpoint]) =>
    get(`/usage/${name}`, ({ viewer, query, ports }) => usageBuckets(viewer, endpoint, query, ports)),
  ),
  get("/costs", ({ viewer, query, ports }) => costBuckets(viewer, query, ports)),
  get("/audit_logs", ({ viewer, query, ports }) => auditLogList(viewer, query, ports)),

  get("/projects", ({ viewer, query, ports }) => projectList(viewer, query, ports)),
  post("/projects", ({ viewer, body, ports }) => projectCreated(viewer, body, ports)),
  get("/projects/:project", ({ viewer, id, ports }) => projectDocument(viewer, id("project"), ports)),
  post("/projects/:project", ({ viewer, body, id, ports }) => projectUpdated(viewer, id("project"), body, ports)),
  get("/projects/:project/api_keys", ({ viewer, id, query, ports }) => projectKeyList(viewer, id("project"), query, ports)),
  get("/projects/:project/api_keys/:id", ({ viewer, id, ports }) => projectKeyDocument(viewer, id("project"), id("id"), ports)),
  remove("/projects/:project/api_keys/:id", ({ viewer, id, ports }) => projectKeyDeleted(viewer, id("project"), id("id"), ports)),
  get("/projects/:project/rate_limits", ({ viewer, id, query, ports }) => projectRateLimits(viewer, id("project"), query, ports)),

  ...["", "/projects/:project"].flatMap((place) => [
    get(`${place}/spend_limit`, ({ viewer, project, ports }) => spendLimitDocument(viewer, project, ports)),
    post(`${place}/spend_limit`, ({ viewer, project, body, ports }) => spendLimitSet(viewer, project, body, ports)),
    remove(`${place}/spend_limit`, ({ viewer, project, ports }) => spendLimitDeleted(viewer, project, ports)),
  ]),

  get("/admin_api_keys", ({ viewer, query, ports }) => adminKeyList(viewer, query, ports)),
  post("/admin_api_keys", ({ viewer, body, ports }) => adminKeyCreated(viewer, body, NO_MODELS, ports)),
  get("/admin_api_keys/:id", ({ viewer, id, ports }) => adminKeyDocument(viewer, id("id"), ports)),
  remove("/admin_api_keys/:id", ({ viewer, id, ports }) => adminKeyDeleted(viewer, id("id"), ports)),
];
