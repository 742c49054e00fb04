// govern: what does the caller ask for, and may this key ask for it?
import type { Counted } from "../core/attempt";
import type { ChatRequest } from "../core/chat";
import type { Governed, Received } from "../core/exchange";
import { Failure } from "../core/failure";
import type { Ports } from "../core/ports";
import type { CreditAccount } from "../core/records";
import { scopeName } from "../policy/budget-book";
import { narrowestAccount } from "../policy/credit";
import { verifyKey } from "./authenticate";
import { claimFor } from "./claim";
import { type DirectoryView, viewOf } from "./directory-view";
import type { Door } from "./door";
import { requireModel } from "./model-access";

/** Throws 400s that name the field, 403 `account_inactive`, `model_not_allowed`, and what `claimFor` throws. */
export async function govern(received: Received, door: Door, ports: Ports): Promise<Governed> {
  const view = viewOf(ports.directory);
  requireCaller(received, view);
  const {
    request,
    includeUsage,
    nameOf = itself,
  } = door.dialect.decodeRequest(received.json, received.dialectHeaders, (id) => ports.items.find(received.key.id, id));
  // A lone surrogate is no text: it can stand in no address and no ledger.
  if (!request.model.isWellFormed()) throw new Failure("invalid_value", "model is not well-formed text.", { param: "model" });
  requireModel(received.key, request.model);
  const counted = countedFor(received, request, ports);
  const governed = { ...received, request, includeUsage, nameOf, counted, account: accountOf(counted, received, view), claim: undefined };
  const { claim, unheeded } = await claimFor(governed, view, ports);
  const ignored = [...unheeded, ...strangeAgent(received)];
  const hints = ignored.length === 0 ? governed.hints : { ...governed.hints, unheeded: [...governed.hints.unheeded, ...ignored] };
  return { ...governed, hints, claim };
}

/** What a call that has waited must still be. Throws as `authenticate` and `govern` do. */
export function governAgain<T extends Governed>(waited: T, ports: Ports): T {
  const again = { ...waited, key: verifyKey(waited.presentedKey, ports) };
  requireCaller(again, viewOf(ports.directory));
  requireModel(again.key, again.request.model);
  return again;
}

const itself = (param: string): string => param;

function requireCaller({ key }: Received, { organizations }: DirectoryView): void {
  const organization = organizations.get(key.organizationId);
  if (organization !== undefined && organization.status !== "active") {
    throw new Failure("account_inactive", `The organization "${organization.name}" is ${organization.status}: its keys make no calls.`);
  }
  if (key.policy.role === "read") {
    throw new Failure(
      "model_not_allowed",
      `The key "${key.name}" has the role read: it sees its organization's figures and calls no model.`,
    );
  }
}

/** The agent that a key is bound to counts, whatever a header says. */
function countedFor({ key, hints }: Received, request: ChatRequest, ports: Ports): Counted {
  const { projectId } = key.policy;
  return {
    organizationId: key.organizationId,
    teamId: projectId === undefined ? undefined : ports.directory.get("project", projectId)?.teamId,
    projectId,
    keyId: key.id,
    user: hints.user ?? request.user?.slice(0, 256),
    agent: key.policy.agent ?? hints.agent,
    run: hints.run,
  };
}

const strangeAgent = ({ key, hints }: Received): string[] =>
  key.policy.agent !== undefined && hints.agent !== undefined && hints.agent !== key.policy.agent ? ["agent"] : [];

/** Test keys are never charged. */
function accountOf(counted: Counted, { key }: Received, { accounts }: DirectoryView): CreditAccount | undefined {
  if (accounts.size === 0 || key.mode === "test") return undefined;
  return narrowestAccount(counted, ({ kind, id }) => accounts.get(scopeName(kind, id, counted.organizationId)));
}
