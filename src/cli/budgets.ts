// tollway budgets …, and the flags by which a key gets its budget as it is made.
import { defineCommand } from "citty";
import { CommandFailed } from "./admin-call";
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
  showCommand,
} from "./admin-flags";

const TERMS = {
  "limit-usd": { type: "string", description: "The most that may be spent in a window: 25, 0.005" },
  window: { type: "string", description: "minute, hour, day, week, month or lifetime" },
  rolling: { type: "boolean", description: "The last day, month …, moving along, instead of the calendar's" },
  timezone: { type: "string", description: "IANA zone of the calendar, such as Europe/Berlin (UTC)" },
  hard: { type: "boolean", description: "Refuse what would overshoot (the default)" },
  soft: { type: "boolean", description: "Only thresholds act; may be overshot" },
  thresholds: { type: "string", description: "50:alert,90:block (per cent of the limit)" },
} as const;

/** As `keys create` takes them. */
export const budgetFlags = TERMS;

type Terms = { readonly [K in keyof typeof TERMS]?: string | boolean | undefined };

/** The fields that the flags name. Throws `CommandFailed`. */
function fieldsOf(args: Terms): Record<string, unknown> {
  if (args.hard && args.soft) throw new CommandFailed("A budget is --hard or --soft, not both.");
  return given({
    limit_usd: args["limit-usd"],
    window: args.window,
    rolling: args.rolling,
    timezone: args.timezone,
    hard: args.soft === undefined ? args.hard : !args.soft,
    thresholds: typeof args.thresholds === "string" ? args.thresholds.split(",").filter(Boolean).map(thresholdOf) : undefined,
  });
}

function thresholdOf(text: string): object {
  const match = /^\s*(\d{1,4})\s*%?(?::([a-z]+))?\s*$/.exec(text);
  if (!match) throw new CommandFailed(`--thresholds takes 50:alert,90:block, and "${text}" is none.`);
  return given({ percent: Number(match[1]), action: match[2] });
}

/** undefined: no flag of a budget was given. */
export function budgetOf(args: Terms): Record<string, unknown> | undefined {
  const fields = fieldsOf(args);
  return Object.keys(fields).length === 0 ? undefined : fields;
}

export const budgetsCommand = (desk: Desk) =>
  defineCommand({
    meta: { name: "budgets", description: "Limit what may be spent, and see what is left" },
    subCommands: {
      create: createCommand(desk),
      list: listCommand(desk),
      show: showCommand(desk, "/budgets", "Show a budget: tollway budgets show bdg_…"),
      update: updateCommand(desk),
      delete: deleteCommand(desk),
    },
  });

const createCommand = (desk: Desk) =>
  defineCommand({
    meta: {
      name: "create",
      description: "Limit a scope: tollway budgets create --scope project:search --limit-usd 25 --window month --hard",
    },
    args: {
      scope: {
        type: "string",
        description: "organization[:ID], team:ID, project:ID, key:ID, user:NAME, agent:NAME or run:NAME",
        required: true,
      },
      ...TERMS,
      "limit-usd": { ...TERMS["limit-usd"], required: true },
      window: { ...TERMS.window, required: true },
      organization,
      json,
      data,
    },
    async run({ args }) {
      const path = pathOf("/budgets", { organization: args.organization });
      const made = (await desk.admin(args)("POST", path, { scope: args.scope, ...fieldsOf(args) })) as Document;
      printMade(desk, args, made, `Made ${made.id}: ${termsOf(made)} on ${made["scope"]}.`);
    },
  });

/** "25 USD a month, hard" */
function termsOf(budget: Document): string {
  const { exact } = budget as unknown as { exact: { limit_usd: string } };
  const window = budget["window"] === "lifetime" ? "in a lifetime" : `a ${budget["rolling"] ? "rolling " : ""}${budget["window"]}`;
  return `${exact.limit_usd} USD ${window}, ${budget["hard"] ? "hard" : "soft"}`;
}

const listCommand = (desk: Desk) =>
  defineCommand({
    meta: { name: "list", description: "List budgets: id, scope, limit, window, hard or soft, spent, held, left, when it begins anew" },
    args: {
      scope: { type: "string", description: "Of one scope: key:key_…" },
      organization,
      json,
      data,
    },
    async run({ args }) {
      const budgets = await everyEntry(desk.admin(args), "/budgets", { organization: args.organization, scope: args.scope });
      printAll(
        desk,
        args,
        budgets,
        cells,
        "There are no budgets yet: tollway budgets create --scope organization --limit-usd 25 --window month",
      );
    },
  });

function cells(budget: Document): readonly unknown[] {
  const { exact } = budget as unknown as { exact: Record<string, string> };
  const window = `${budget["rolling"] ? "rolling " : ""}${budget["window"]}`;
  const amounts = [exact["spent_usd"], exact["reserved_usd"], exact["remaining_usd"]];
  return [budget.id, budget["scope"], exact["limit_usd"], window, budget["hard"] ? "hard" : "soft", ...amounts, budget["resets_at"]];
}

const updateCommand = (desk: Desk) =>
  defineCommand({
    meta: { name: "update", description: "Change a budget, at once: tollway budgets update bdg_… --limit-usd 50" },
    args: { id, ...TERMS, organization, json, data },
    async run({ args }) {
      const path = at("/budgets", args.id, { organization: args.organization });
      const changed = (await desk.admin(args)("PATCH", path, fieldsOf(args))) as Document;
      printDone(desk, args, changed, `Changed ${changed.id}: ${termsOf(changed)} on ${changed["scope"]}.`);
    },
  });

const deleteCommand = (desk: Desk) =>
  defineCommand({
    meta: { name: "delete", description: "Delete a budget: its scope is limited by it no more: tollway budgets delete bdg_…" },
    args: { id, organization, json, data },
    async run({ args }) {
      const done = await desk.admin(args)("DELETE", at("/budgets", args.id, { organization: args.organization }));
      printDone(desk, args, done, `Deleted ${args.id}.`);
    },
  });
