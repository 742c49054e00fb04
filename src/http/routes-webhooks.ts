// Webhooks, as administrators set them up.

import { refuseOthers } from "../admin/account-query";
import { pageAsked } from "../admin/page";
import type { Ask } from "../admin/place";
import {
  changeWebhook,
  createWebhook,
  listDeliveries,
  listWebhooks,
  removeWebhook,
  retryDelivery,
  rotateWebhookSecret,
  showWebhook,
  testWebhook,
} from "../admin/webhooks";
import type { Route, RouteCall } from "./route";

const id = (call: RouteCall): string => call.params["id"] ?? "";
/** A word of the query that is not known is refused: who asks with it means something. */
const asked = (call: RouteCall, more: readonly string[] = []): Ask => {
  refuseOthers(call.url.searchParams, ["organization", ...more]);
  return { organization: call.url.searchParams.get("organization") ?? undefined };
};
/** The body is read before a change has its turn: one that never comes holds nobody up. */
const withBody = async (call: RouteCall): Promise<Ask> => ({ ...asked(call), body: await call.json() });

export const WEBHOOK_ROUTES: readonly Route[] = [
  {
    method: "POST",
    path: "/admin/v1/webhooks",
    access: "admin",
    handle: async (call, house) => createWebhook(await withBody(call), house.ports),
  },
  { method: "GET", path: "/admin/v1/webhooks", access: "admin", handle: (call, house) => listWebhooks(asked(call), house.ports) },
  {
    method: "GET",
    path: "/admin/v1/webhooks/:id",
    access: "admin",
    handle: (call, house) => showWebhook(id(call), asked(call), house.ports),
  },
  {
    method: "PATCH",
    path: "/admin/v1/webhooks/:id",
    access: "admin",
    handle: async (call, house) => changeWebhook(id(call), await withBody(call), house.ports),
  },
  {
    method: "DELETE",
    path: "/admin/v1/webhooks/:id",
    access: "admin",
    handle: (call, house) => removeWebhook(id(call), asked(call), house.ports),
  },
  {
    method: "POST",
    path: "/admin/v1/webhooks/:id/rotate-secret",
    access: "admin",
    handle: async (call, house) => rotateWebhookSecret(id(call), await withBody(call), house.ports),
  },
  {
    method: "POST",
    path: "/admin/v1/webhooks/:id/test",
    access: "admin",
    handle: (call, house) => testWebhook(id(call), asked(call), house.ports),
  },
  {
    method: "GET",
    path: "/admin/v1/webhooks/:id/deliveries",
    access: "admin",
    handle: (call, house) => listDeliveries(id(call), asked(call, ["limit"]), pageAsked(call.url.searchParams).limit, house.ports),
  },
  {
    method: "POST",
    path: "/admin/v1/webhooks/:id/deliveries/:delivery/retry",
    access: "admin",
    handle: (call, house) => retryDelivery(id(call), call.params["delivery"] ?? "", asked(call), house.ports),
  },
];
