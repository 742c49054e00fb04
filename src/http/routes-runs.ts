// Agents' runs: what they are, and their end.
import { type Viewer, viewerOf } from "../admin/account-viewer";
import { cancelRun, runDocument, runsDocument } from "../admin/runs";
import { Failure } from "../core/failure";
import type { Route, RouteCall } from "./route";

const viewer = (call: RouteCall): Viewer => {
  if (!call.key) throw new Failure("invalid_api_key", "No API key came with the request.");
  return viewerOf(call.key);
};
const nameOf = (call: RouteCall): string => call.params["id"] ?? "";

export const RUN_ROUTES: readonly Route[] = [
  { method: "GET", path: "/v1/runs", access: "key", handle: (call, { ports }) => runsDocument(viewer(call), call.url.searchParams, ports) },
  {
    method: "GET",
    path: "/v1/runs/:id",
    access: "key",
    handle: (call, { ports }) => runDocument(viewer(call), nameOf(call), call.url.searchParams, ports),
  },
  {
    method: "POST",
    path: "/v1/runs/:id/cancel",
    access: "key",
    handle: (call, { ports }) => cancelRun(viewer(call), nameOf(call), ports),
  },
];
