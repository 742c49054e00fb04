// tollway organizations, teams, projects and limits.
import { type ArgsDef, defineCommand } from "citty";
import {
  at,
  type Desk,
  type Document,
  data,
  everyEntry,
  given,
  id,
  json,
  noneHint,
  organization,
  pathOf,
  printAll,
  printDone,
  printMade,
  textOf,
  wholeOf,
} from "./admin-flags";

/** How one kind of thing is made, listed, changed and deleted. */
interface Kind {
  /** "teams": the command's name, and the path's. */
  path: string;
  noun: string;
  /** Of its help. */
  description: string;
  /** What stands behind the command in an example. */
  example: { create: string; update: string };
  /** "organization" as a flag: what belongs to one. */
  belongs: boolean;
  /** Flags of its fields. `onCreate` are required there. */
  flags: Record<string, { type: "string"; description: string }>;
  onCreate: readonly string[];
  /** Those that cannot be changed. */
  fixed: readonly string[];
  /** Whether it can be deleted. */
  deletable: boolean;
  fields(args: Readonly<Record<string, unknown>>): Record<string, unknown>;
  cells(entry: Document): readonly unknown[];
  /** The name of one, in a sentence. */
  called(entry: Document): string;
}

const name = { type: "string", description: "Its name" } as const;
const text = (value: unknown): string | undefined => (typeof value === "string" ? value : undefined);
const named = (entry: Document): string => `"${entry["name"]}"`;

const ORGANIZATIONS: Kind = {
  path: "organizations",
  noun: "organization",
  description: "Make, list, rename and suspend organizations",
  example: { create: "--name acme", update: "--status suspended" },
  belongs: false,
  flags: { name, status: { type: "string", description: "active, suspended or cancelled" } },
  onCreate: ["name"],
  fixed: [],
  deletable: false,
  fields: (args) => ({ name: args["name"], status: args["status"] }),
  cells: (entry) => [entry.id, entry["status"], entry["created_at"], entry["name"]],
  called: named,
};

const TEAMS: Kind = {
  path: "teams",
  noun: "team",
  description: "Make, list, rename and delete teams",
  example: { create: "--name research", update: "--name search" },
  belongs: true,
  flags: { name },
  onCreate: ["name"],
  fixed: [],
  deletable: true,
  fields: (args) => ({ name: args["name"] }),
  cells: (entry) => [entry.id, entry["created_at"], entry["name"]],
  called: named,
};

const PROJECTS: Kind = {
  ...TEAMS,
  path: "projects",
  noun: "project",
  description: "Make, list, move and delete projects",
  example: { create: "--name search --team research", update: "--team none" },
  flags: { name, team: { type: "string", description: `Id or name of its team; ${noneHint}` } },
  fields: (args) => ({ name: args["name"], team: textOf(text(args["team"])) }),
  cells: (entry) => [entry.id, entry["team"], entry["created_at"], entry["name"]],
};

const LIMITS: Kind = {
  path: "limits",
  noun: "limit",
  description: "Limit the calls of organizations, teams, projects, users and agents (a key carries its own)",
  example: { create: "--scope team:research --rate-limit 600 --concurrency 20", update: "--tpm-limit none" },
  belongs: true,
  flags: {
    scope: { type: "string", description: "organization[:ID], team:ID, project:ID, user:NAME or agent:NAME" },
    "rate-limit": { type: "string", description: `Requests a minute; ${noneHint}` },
    "tpm-limit": { type: "string", description: `Tokens a minute; ${noneHint}` },
    concurrency: { type: "string", description: `Calls at once; ${noneHint}` },
  },
  onCreate: ["scope"],
  fixed: ["scope"],
  deletable: true,
  fields: (args) => ({
    scope: args["scope"],
    rate_limit: wholeOf("--rate-limit", text(args["rate-limit"])),
    tpm_limit: wholeOf("--tpm-limit", text(args["tpm-limit"])),
    concurrency: wholeOf("--concurrency", text(args["concurrency"])),
  }),
  cells: (entry) => [entry.id, entry["scope"], entry["rate_limit"], entry["tpm_limit"], entry["concurrency"]],
  called: (entry) => `on ${entry["scope"]}`,
};

export const organizationsCommand = (desk: Desk) => kindCommand(ORGANIZATIONS, desk);
export const teamsCommand = (desk: Desk) => kindCommand(TEAMS, desk);
export const projectsCommand = (desk: Desk) => kindCommand(PROJECTS, desk);
export const limitsCommand = (desk: Desk) => kindCommand(LIMITS, desk);

const kindCommand = (kind: Kind, desk: Desk) =>
  defineCommand({
    meta: { name: kind.path, description: kind.description },
    subCommands: {
      create: createCommand(kind, desk),
      list: listCommand(kind, desk),
      update: updateCommand(kind, desk),
      ...(kind.deletable ? { delete: deleteCommand(kind, desk) } : {}),
    },
  });

/** The organization that the query names. Organizations belong to none. */
const placeOf = (kind: Kind, args: Readonly<Record<string, unknown>>) => (kind.belongs ? { organization: text(args["organization"]) } : {});

const shared = (kind: Kind): ArgsDef => ({ ...(kind.belongs ? { organization } : {}), json, data });

/** citty's arguments by their names: `shared` gives them all. */
type Args = Readonly<Record<string, unknown>> & { json: boolean; data?: string | undefined };

const createCommand = (kind: Kind, desk: Desk) =>
  defineCommand({
    meta: { name: "create", description: `Make one: tollway ${kind.path} create ${kind.example.create}` },
    args: { ...flagsOf(kind, kind.onCreate), ...shared(kind) },
    async run({ args: parsed }) {
      const args = parsed as unknown as Args;
      const made = (await desk.admin(args)("POST", pathOf(`/${kind.path}`, placeOf(kind, args)), given(kind.fields(args)))) as Document;
      printMade(desk, args, made, `Made ${kind.noun} ${made.id} (${kind.called(made)}).`);
    },
  });

const flagsOf = (kind: Kind, required: readonly string[]): ArgsDef =>
  Object.fromEntries(Object.entries(kind.flags).map(([flag, definition]) => [flag, { ...definition, required: required.includes(flag) }]));

const listCommand = (kind: Kind, desk: Desk) =>
  defineCommand({
    meta: { name: "list", description: `List ${kind.path}` },
    args: shared(kind),
    async run({ args: parsed }) {
      const args = parsed as unknown as Args;
      const entries = await everyEntry(desk.admin(args), `/${kind.path}`, placeOf(kind, args));
      printAll(desk, args, entries, kind.cells, `There are none yet: tollway ${kind.path} create ${kind.example.create}`);
    },
  });

const updateCommand = (kind: Kind, desk: Desk) =>
  defineCommand({
    meta: { name: "update", description: `Change one: tollway ${kind.path} update ID ${kind.example.update}` },
    args: { id, ...withoutFixed(flagsOf(kind, []), kind.fixed), ...shared(kind) },
    async run({ args: parsed }) {
      const args = parsed as unknown as Args & { id: string };
      const path = at(`/${kind.path}`, args.id, placeOf(kind, args));
      const changed = (await desk.admin(args)("PATCH", path, given(kind.fields(args)))) as Document;
      printDone(desk, args, changed, `Changed ${kind.noun} ${changed.id} (${kind.called(changed)}).`);
    },
  });

const withoutFixed = (flags: ArgsDef, fixed: readonly string[]): ArgsDef =>
  Object.fromEntries(Object.entries(flags).filter(([flag]) => !fixed.includes(flag)));

const deleteCommand = (kind: Kind, desk: Desk) =>
  defineCommand({
    meta: { name: "delete", description: `Delete one: tollway ${kind.path} delete ID` },
    args: { id, ...shared(kind) },
    async run({ args: parsed }) {
      const args = parsed as unknown as Args & { id: string };
      const done = await desk.admin(args)("DELETE", at(`/${kind.path}`, args.id, placeOf(kind, args)));
      printDone(desk, args, done, `Deleted ${args.id}.`);
    },
  });
