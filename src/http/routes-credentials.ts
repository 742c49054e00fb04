// Providers and their credentials, as administrators connect them; the vault's keys.
import { refuseOthers } from "../admin/account-query";
import { createCredential, deleteCredential, getCredential, listCredentials, rotateCredential } from "../admin/credentials";
import { doctor } from "../admin/doctor";
import { compareInvoice } from "../admin/invoice";
import { pageAsked } from "../admin/page";
import type { Ask } from "../admin/place";
import { listProviders } from "../admin/providers";
import { rekey } from "../admin/rekey";
import { inTurn } from "../admin/turn";
import { Failure } from "../core/failure";
import { PROVIDER_FACTS, providerSlug } from "../gateway/provider-facts";
import type { Route, RouteCall } from "./route";

const idOf = (call: RouteCall): string => call.params["id"] ?? "";

const asked = (call: RouteCall): Ask & { project: string | undefined } => ({
  organization: call.url.searchParams.get("organization") ?? undefined,
  project: call.url.searchParams.get("project") ?? undefined,
});

const PLACE = ["organization"] as const;

/** A word that is not known is refused: who asks with it means something. */
const only = (call: RouteCall, known: readonly string[] = PLACE): RouteCall => {
  refuseOthers(call.url.searchParams, known);
  return call;
};

/** The body is read before the turn: one that never comes holds nobody up. */
const withBody = async (call: RouteCall): Promise<Ask> => ({ ...asked(only(call)), body: await call.json() });

export const CREDENTIAL_ROUTES: readonly Route[] = [
  {
    method: "GET",
    path: "/admin/v1/providers",
    access: "admin",
    handle: (call, { ports }) => listProviders(asked(only(call, [...PLACE, "project"])), PROVIDER_FACTS, ports),
  },
  {
    method: "POST",
    path: "/admin/v1/credentials",
    access: "admin",
    async handle(call, { ports }) {
      const ask = await withBody(call);
      return inTurn(ports, () => createCredential(ask, providerSlug, ports));
    },
  },
  {
    method: "GET",
    path: "/admin/v1/credentials",
    access: "admin",
    handle: (call, { ports }) =>
      listCredentials(asked(only(call, [...PLACE, "project", "cursor", "limit"])), pageAsked(call.url.searchParams), ports),
  },
  {
    method: "GET",
    path: "/admin/v1/credentials/:id",
    access: "admin",
    handle: (call, { ports }) => getCredential(idOf(call), asked(only(call)), ports),
  },
  {
    method: "POST",
    path: "/admin/v1/credentials/:id/rotate",
    access: "admin",
    async handle(call, { ports }) {
      const ask = await withBody(call);
      return inTurn(ports, () => rotateCredential(idOf(call), ask, ports));
    },
  },
  {
    method: "DELETE",
    path: "/admin/v1/credentials/:id",
    access: "admin",
    handle(call, { ports }) {
      const ask = asked(only(call));
      return inTurn(ports, () => deleteCredential(idOf(call), ask, ports));
    },
  },
  {
    method: "GET",
    path: "/admin/v1/doctor",
    access: "admin",
    handle(call, { ports, version }) {
      if (asked(call).organization !== undefined)
        throw new Failure("unsupported_parameter", "The doctor looks at every organization at once.", { param: "organization" });
      only(call, []);
      return inTurn(ports, () => doctor(version, ports));
    },
  },
  {
    method: "POST",
    path: "/admin/v1/doctor/invoice",
    access: "admin",
    handle: async (call, { ports }) => compareInvoice(await withBody(call), ports),
  },
  {
    method: "POST",
    path: "/admin/v1/vault/rekey",
    access: "admin",
    handle(call, { ports }) {
      only(call, []);
      return inTurn(ports, () => rekey(ports));
    },
  },
];
