// What an administrator does with organizations, teams, projects, keys, budgets, limits and credits. Changes happen one after the other.

import { auditDocument } from "../admin/account-audit";
import { refuseOthers } from "../admin/account-query";
import { usageDocument } from "../admin/account-usage";
import { administratorOf, type Viewer } from "../admin/account-viewer";
import { applyDocument } from "../admin/apply";
import { createBudget, deleteBudget, getBudget, listBudgets, updateBudget } from "../admin/budgets";
import { addCredits, createCreditAccount, deleteCreditAccount, getCreditAccount, listCreditAccounts, listCredits } from "../admin/credits";
import { listEvents } from "../admin/events";
import type { KnownModels } from "../admin/key-terms";
import { createKey, getKey, listKeys, revokeKey, rotateKey, updateKey } from "../admin/keys";
import { createLimit, deleteLimit, getLimit, listLimits, updateLimit } from "../admin/limits";
import { createOrganization, DEFAULT_ORGANIZATION, getOrganization, listOrganizations, updateOrganization } from "../admin/organizations";
import { pageAsked } from "../admin/page";
import { type Ask, organizationOr } from "../admin/place";
import { createProject, deleteProject, getProject, listProjects, updateProject } from "../admin/projects";
import { createTeam, deleteTeam, getTeam, listTeams, updateTeam } from "../admin/teams";
import { inTurn } from "../admin/turn";
import { Failure } from "../core/failure";
import type { Page, Ports } from "../core/ports";
import { isOfFamily } from "../gateway/known-family";
import type { House, Route, RouteCall } from "./route";

const BASE = "/admin/v1";

const idOf = (call: RouteCall): string => call.params["id"] ?? "";

/** The query's part of a request. */
const asked = (call: RouteCall): Ask => ({ organization: call.url.searchParams.get("organization") ?? undefined });

const scoped = (call: RouteCall) => ({ ...asked(call), scope: call.url.searchParams.get("scope") ?? undefined });

const modelsOf = (house: House): KnownModels => ({ providers: house.everyProvider, isOfFamily });

type Reading = (call: RouteCall, page: Page, ports: Ports) => object | Promise<object>;
type Changing = (call: RouteCall, ask: Ask, house: House) => Promise<object>;

/** What a query may hold: a word that is not known is refused, or `?organisation=B` would show and change the default's. */
const PLACE = ["organization"] as const;

const list = (path: string, read: Reading, known: readonly string[] = PLACE): Route => ({
  method: "GET",
  path: BASE + path,
  access: "admin",
  handle(call, house) {
    refuseOthers(call.url.searchParams, ["cursor", "limit", ...known]);
    return read(call, pageAsked(call.url.searchParams), house.ports);
  },
});

const one = (path: string, read: (id: string, ask: Ask, ports: Ports) => object | Promise<object>): Route => ({
  method: "GET",
  path: BASE + path,
  access: "admin",
  handle(call, house) {
    refuseOthers(call.url.searchParams, PLACE);
    return read(idOf(call), asked(call), house.ports);
  },
});

/** The body is read before the turn: one that never comes holds nobody up. */
const change = (method: "POST" | "PATCH", path: string, write: Changing, known: readonly string[] = PLACE): Route => ({
  method,
  path: BASE + path,
  access: "admin",
  async handle(call, house) {
    refuseOthers(call.url.searchParams, known);
    const ask = { ...asked(call), body: await call.json() };
    return inTurn(house.ports, () => write(call, ask, house));
  },
});

const remove = (path: string, write: Changing, known: readonly string[] = PLACE): Route => ({
  method: "DELETE",
  path: BASE + path,
  access: "admin",
  handle(call, house) {
    refuseOthers(call.url.searchParams, known);
    return inTurn(house.ports, () => write(call, asked(call), house));
  },
});

/** `?cut_streams=true`: what a revoked key is being answered ends too. */
function cutAsked(call: RouteCall): boolean {
  const cut = call.url.searchParams.get("cut_streams") ?? "false";
  if (cut !== "true" && cut !== "false") throw new Failure("invalid_value", "cut_streams takes true or false.", { param: "cut_streams" });
  return cut === "true";
}

const KEYS: readonly Route[] = [
  change("POST", "/keys", (_, ask, house) => createKey(ask, modelsOf(house), house.ports)),
  list("/keys", (call, page, ports) => listKeys(asked(call), page, ports)),
  one("/keys/:id", getKey),
  change("PATCH", "/keys/:id", (call, ask, house) => updateKey(idOf(call), ask, modelsOf(house), house.ports)),
  change("POST", "/keys/:id/rotate", (call, ask, { ports }) => rotateKey(idOf(call), ask, ports)),
  remove("/keys/:id", (call, ask, { ports }) => revokeKey(idOf(call), ask, cutAsked(call), ports), [...PLACE, "cut_streams"]),
];

const PEOPLE: readonly Route[] = [
  change("POST", "/organizations", (_, ask, { ports }) => createOrganization(ask, ports), []),
  list("/organizations", (_, page, ports) => listOrganizations(page, ports), []),
  one("/organizations/:id", getOrganization),
  change("PATCH", "/organizations/:id", (call, ask, { ports }) => updateOrganization(idOf(call), ask, ports)),

  change("POST", "/teams", (_, ask, { ports }) => createTeam(ask, ports)),
  list("/teams", (call, page, ports) => listTeams(asked(call), page, ports)),
  one("/teams/:id", getTeam),
  change("PATCH", "/teams/:id", (call, ask, { ports }) => updateTeam(idOf(call), ask, ports)),
  remove("/teams/:id", (call, ask, { ports }) => deleteTeam(idOf(call), ask, ports)),

  change("POST", "/projects", (_, ask, { ports }) => createProject(ask, ports)),
  list("/projects", (call, page, ports) => listProjects(asked(call), page, ports)),
  one("/projects/:id", getProject),
  change("PATCH", "/projects/:id", (call, ask, { ports }) => updateProject(idOf(call), ask, ports)),
  remove("/projects/:id", (call, ask, { ports }) => deleteProject(idOf(call), ask, ports)),
];

const MONEY: readonly Route[] = [
  change("POST", "/budgets", (_, ask, { ports }) => createBudget(ask, ports)),
  list("/budgets", (call, page, ports) => listBudgets(scoped(call), page, ports), [...PLACE, "scope"]),
  one("/budgets/:id", getBudget),
  change("PATCH", "/budgets/:id", (call, ask, { ports }) => updateBudget(idOf(call), ask, ports)),
  remove("/budgets/:id", (call, ask, { ports }) => deleteBudget(idOf(call), ask, ports)),

  change("POST", "/limits", (_, ask, { ports }) => createLimit(ask, ports)),
  list("/limits", (call, page, ports) => listLimits(asked(call), page, ports)),
  one("/limits/:id", getLimit),
  change("PATCH", "/limits/:id", (call, ask, { ports }) => updateLimit(idOf(call), ask, ports)),
  remove("/limits/:id", (call, ask, { ports }) => deleteLimit(idOf(call), ask, ports)),

  change("POST", "/credits/accounts", (_, ask, { ports }) => createCreditAccount(ask, ports)),
  list("/credits/accounts", (call, page, ports) => listCreditAccounts(asked(call), page, ports)),
  one("/credits/accounts/:id", getCreditAccount),
  remove("/credits/accounts/:id", (call, ask, { ports }) => deleteCreditAccount(idOf(call), ask, ports)),
  change("POST", "/credits", (call, ask, { ports }) => addCredits(ask, call.request.headers.get("idempotency-key") ?? undefined, ports)),
  list("/credits", (call, page, ports) => listCredits(scoped(call), page, ports), [...PLACE, "scope"]),
];

const EVENTS: readonly Route[] = [
  list("/events", (call, page, ports) => listEvents(organizationOr(asked(call), undefined, ports), page, ports)),
];

/** What the administrator's query says beside what a key's may. */
const FIGURES_OWN = ["organization", "mode"];

/** An account document of one organization, as its administrator sees it: `?organization=`, `?mode=test`. */
const figures = (path: string, read: (viewer: Viewer, query: URLSearchParams, ports: Ports) => Promise<object>): Route => ({
  method: "GET",
  path: BASE + path,
  access: "admin",
  handle(call, { ports }) {
    const query = new URLSearchParams(call.url.searchParams);
    refuseOthers(new URLSearchParams([...query].filter(([name]) => FIGURES_OWN.includes(name))), FIGURES_OWN);
    const mode = query.get("mode") ?? "live";
    if (mode !== "live" && mode !== "test") throw new Failure("invalid_value", 'mode takes "live" or "test".', { param: "mode" });
    const viewer = administratorOf(query.get("organization") ?? DEFAULT_ORGANIZATION, mode, ports);
    for (const name of FIGURES_OWN) query.delete(name);
    return read(viewer, query, ports);
  },
});

const FIGURES: readonly Route[] = [figures("/usage", usageDocument), figures("/audit", auditDocument)];

const APPLY: readonly Route[] = [change("POST", "/apply", (_, ask, house) => applyDocument(ask.body, modelsOf(house), house.ports), [])];

export const ADMIN_ROUTES: readonly Route[] = [...KEYS, ...PEOPLE, ...MONEY, ...EVENTS, ...FIGURES, ...APPLY];
