// tollway credits …: prepaid balances and their entries.
import { defineCommand } from "citty";
import {
  at,
  type Desk,
  type Document,
  data,
  everyEntry,
  given,
  id,
  json,
  organization,
  pathOf,
  printAll,
  printDone,
  printMade,
} from "./admin-flags";

const scope = { type: "string", description: "organization[:ID], project:ID or key:ID" } as const;
const exactOf = (entry: Document, field: string): unknown => (entry as unknown as { exact: Record<string, string> }).exact[field];

export const creditsCommand = (desk: Desk) =>
  defineCommand({
    meta: { name: "credits", description: "Prepaid balances: accounts, top-ups, adjustments" },
    subCommands: { accounts: accountsCommand(desk), add: addCommand(desk), list: listCommand(desk) },
  });

const accountsCommand = (desk: Desk) =>
  defineCommand({
    meta: { name: "accounts", description: "Open and list credit accounts" },
    subCommands: { create: openCommand(desk), list: accountListCommand(desk), delete: closeCommand(desk) },
  });

const openCommand = (desk: Desk) =>
  defineCommand({
    meta: { name: "create", description: "Open an account: tollway credits accounts create --scope project:shop --markup-percent 20" },
    args: {
      scope: { ...scope, required: true },
      "markup-percent": { type: "string", description: "Added to each call's cost, such as 12.5 (0)" },
      organization,
      json,
      data,
    },
    async run({ args }) {
      const path = pathOf("/credits/accounts", { organization: args.organization });
      const body = given({ scope: args.scope, markup_percent: args["markup-percent"] });
      const made = (await desk.admin(args)("POST", path, body)) as Document;
      printMade(
        desk,
        args,
        made,
        `Opened ${made.id} on ${made["scope"]}. Add to it: tollway credits add --scope ${args.scope} --amount-usd 100`,
      );
    },
  });

const accountListCommand = (desk: Desk) =>
  defineCommand({
    meta: { name: "list", description: "List accounts: id, scope, markup, credited in all, charged, left" },
    args: { organization, json, data },
    async run({ args }) {
      const accounts = await everyEntry(desk.admin(args), "/credits/accounts", { organization: args.organization });
      const amounts = ["credited_usd", "charged_usd", "balance_usd"];
      const cells = (one: Document) => [one.id, one["scope"], one["markup_percent"], ...amounts.map((field) => exactOf(one, field))];
      printAll(desk, args, accounts, cells, "There are none yet: tollway credits accounts create --scope organization");
    },
  });

const closeCommand = (desk: Desk) =>
  defineCommand({
    meta: { name: "delete", description: "Delete an account that was never credited: tollway credits accounts delete crd_…" },
    args: { id, organization, json, data },
    async run({ args }) {
      const done = await desk.admin(args)("DELETE", at("/credits/accounts", args.id, { organization: args.organization }));
      printDone(desk, args, done, `Deleted ${args.id}.`);
    },
  });

const addCommand = (desk: Desk) =>
  defineCommand({
    meta: { name: "add", description: 'Top up or adjust: tollway credits add --scope organization --amount-usd 100 --reason "invoice 7"' },
    args: {
      scope: { ...scope, required: true },
      "amount-usd": { type: "string", description: "100, 0.5; an adjustment may be below zero: --amount-usd=-5", required: true },
      kind: { type: "string", description: "top_up or adjustment", default: "top_up" },
      reason: { type: "string", description: "Why; an adjustment needs one" },
      organization,
      json,
      data,
    },
    async run({ args }) {
      const path = pathOf("/credits", { organization: args.organization });
      const body = given({ scope: args.scope, amount_usd: args["amount-usd"], kind: args.kind, reason: args.reason });
      const made = (await desk.admin(args)("POST", path, body)) as Document;
      printMade(desk, args, made, `Added ${exactOf(made, "amount_usd")} USD to ${made["scope"]}.`);
    },
  });

const listCommand = (desk: Desk) =>
  defineCommand({
    meta: { name: "list", description: "List an account's entries, newest first: tollway credits list --scope organization" },
    args: { scope: { ...scope, default: "organization" }, organization, json, data },
    async run({ args }) {
      const entries = await everyEntry(desk.admin(args), "/credits", { organization: args.organization, scope: args.scope });
      const cells = (one: Document) => [one.id, one["created_at"], one["kind"], exactOf(one, "amount_usd"), one["reason"]];
      printAll(desk, args, entries, cells, "Nothing was added yet.");
    },
  });
