// Webhooks, as administrators set them up.

import { pageAsked } from "../admin/page";
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
const organization = (call: RouteCall): string | null => call.url.searchParams.get("organization");

export const WEBHOOK_ROUTES: readonly Route[] = [
  {
    method: "POST",
    path: "/admin/v1/webhooks",
    access: "admin",
    handle: async (call, house) => createWebhook(await call.json(), house.ports),
  },
  { method: "GET", path: "/admin/v1/webhooks", access: "admin", handle: (call, house) => listWebhooks(organization(call), house.ports) },
  {
    method: "GET",
    path: "/admin/v1/webhooks/:id",
    access: "admin",
    handle: (call, house) => showWebhook(id(call), organization(call), house.ports),
  },
  {
    method: "PATCH",
    path: "/admin/v1/webhooks/:id",
    access: "admin",
    handle: async (call, house) => changeWebhook(id(call), organization(call), await call.json(), house.ports),
  },
  {
    method: "DELETE",
    path: "/admin/v1/webhooks/:id",
    access: "admin",
    handle: (call, house) => removeWebhook(id(call), organization(call), house.ports),
  },
  {
    method: "POST",
    path: "/admin/v1/webhooks/:id/rotate-secret",
    access: "admin",
    handle: async (call, house) => rotateWebhookSecret(id(call), organization(call), await call.json(), house.ports),
  },
  {
    method: "POST",
    path: "/admin/v1/webhooks/:id/test",
    access: "admin",
    handle: (call, house) => testWebhook(id(call), organization(call), house.ports),
  },
  {
    method: "GET",
    path: "/admin/v1/webhooks/:id/deliveries",
    access: "admin",
    handle: (call, house) => listDeliveries(id(call), organization(call), pageAsked(call.url.searchParams).limit, house.ports),
  },
  {
    method: "POST",
    path: "/admin/v1/webhooks/:id/deliveries/:delivery/retry",
    access: "admin",
    handle: (call, house) => retryDelivery(id(call), call.params["delivery"] ?? "", organization(call), house.ports),
  },
];
