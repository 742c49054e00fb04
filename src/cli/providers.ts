// tollway providers …: who pays for which provider's calls, and the master key that their secrets are under.
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
  wholeOf,
} from "./admin-flags";
import { readSecret, type SecretSource, secretFlags } from "./secret-source";

const project = { type: "string", description: "Id or name of a project: its keys alone" } as const;

export const providersCommand = (desk: Desk, secrets: SecretSource) =>
  defineCommand({
    meta: { name: "providers", description: "Connect accounts of providers, rotate and remove them" },
    subCommands: {
      list: listCommand(desk),
      credentials: credentialsCommand(desk),
      connect: connectCommand(desk, secrets),
      rotate: rotateCommand(desk, secrets),
      remove: removeCommand(desk),
      rekey: rekeyCommand(desk),
    },
  });

const listCommand = (desk: Desk) =>
  defineCommand({
    meta: { name: "list", description: "Every provider, whether it is connected, and by whom: tollway providers list --project search" },
    args: { organization, project, json, data },
    async run({ args }) {
      const { organization, project } = args;
      const { data } = (await desk.admin(args)("GET", pathOf("/providers", { organization, project }))) as { data: Document[] };
      const cells = ({ provider, state, source, credential, base_url }: Document): unknown[] => [
        provider,
        state,
        source,
        credential,
        base_url,
      ];
      printAll(desk, args, data, cells, "There are no providers.");
    },
  });

const credentialsCommand = (desk: Desk) =>
  defineCommand({
    meta: { name: "credentials", description: "Stored credentials, by their last four characters" },
    args: { organization, project, json, data },
    async run({ args }) {
      const { organization, project } = args;
      const entries = await everyEntry(desk.admin(args), "/credentials", { organization, project });
      const cells = ({ id, provider, project, last_four, master_key, name }: Document): unknown[] => [
        id,
        provider,
        project,
        `…${last_four}`,
        master_key,
        name,
      ];
      printAll(desk, args, entries, cells, "None is stored: tollway providers connect openai < key.txt");
    },
  });

const connectCommand = (desk: Desk, secrets: SecretSource) =>
  defineCommand({
    meta: { name: "connect", description: "Store an account's secret, read from stdin: tollway providers connect openai < key.txt" },
    args: {
      provider: { type: "positional", description: "Its slug, or byo:NAME with --base-url", required: true },
      name: { type: "string", description: "What the account is called" },
      project,
      organization,
      "base-url": { type: "string", description: "In place of its usual address, with its prefix" },
      ...secretFlags,
      json,
      data,
    },
    async run({ args }) {
      const { provider, name, project, organization } = args;
      const secret = await readSecret(args, secrets);
      const body = given({ provider, secret, name, project, organization, base_url: args["base-url"] });
      const made = (await desk.admin(args)("POST", pathOf("/credentials"), body)) as Document;
      printMade(desk, args, made, `Connected ${made["provider"]} with …${made["last_four"]}, for ${whose(made)}.`);
    },
  });

const rotateCommand = (desk: Desk, secrets: SecretSource) =>
  defineCommand({
    meta: { name: "rotate", description: "A new secret at once, the older beside it for a day: tollway providers rotate cred_… < key.txt" },
    args: {
      id,
      "grace-seconds": {
        type: "string",
        description: "How long the older is asked with where the new one is refused (86400; 0: not at all)",
      },
      ...secretFlags,
      json,
      data,
    },
    async run({ args }) {
      const secret = await readSecret(args, secrets);
      const grace = wholeOf("--grace-seconds", args["grace-seconds"]);
      const made = (await desk.admin(args)(
        "POST",
        `${at("/credentials", args.id)}/rotate`,
        given({ secret, grace_seconds: grace }),
      )) as Document;
      printMade(desk, args, made, `Rotated ${made.id}: calls go with …${made["last_four"]} from here on.`);
    },
  });

const removeCommand = (desk: Desk) =>
  defineCommand({
    meta: { name: "remove", description: "Remove a stored credential, at once: tollway providers remove cred_…" },
    args: { id, json, data },
    async run({ args }) {
      const done = await desk.admin(args)("DELETE", at("/credentials", args.id));
      printDone(desk, args, done, `Removed ${args.id}. No call begins with it any more.`);
    },
  });

interface Rekeyed {
  master_key: string;
  resealed: number;
  unreadable: { table: string; row: string; master_key: string }[];
}

const rekeyCommand = (desk: Desk) =>
  defineCommand({
    meta: { name: "rekey", description: "Seal every stored secret anew under the current master key. Older ones may go then" },
    args: { json, data },
    async run({ args }) {
      const done = (await desk.admin(args)("POST", pathOf("/vault/rekey"))) as Rekeyed;
      printDone(desk, args, done, `Sealed ${done.resealed} anew under ${done.master_key}.`);
      if (done.unreadable.length === 0) return;
      const rows = done.unreadable.map(({ table, row, master_key }) => `${table} ${row} (${master_key})`).join(", ");
      throw new CommandFailed(`${done.unreadable.length} could not be opened, and stay as they are: ${rows}. Rotate them.`);
    },
  });

const whose = ({ project, organization }: Document): string =>
  project === null ? `organization ${organization}` : `project ${project} of organization ${organization}`;
