// tollway keys …: a client of /admin/v1, over whatever main.ts found to answer it.
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
  listOf,
  noneHint,
  organization,
  pairsOf,
  pathOf,
  printAll,
  printDone,
  showCommand,
  textOf,
  wholeOf,
} from "./admin-flags";
import { budgetFlags, budgetOf } from "./budgets";

const TERMS = {
  name: { type: "string", description: "What the key is for" },
  expires: { type: "string", description: `When it ends, such as 2027-01-31T00:00:00Z; ${noneHint}` },
  project: { type: "string", description: `Id or name of its project; ${noneHint}` },
  role: { type: "string", description: "call, or read (sees its organization's figures, calls nothing)" },
  "allowed-models": { type: "string", description: `Globs of model ids with commas between them: gpt-4o*,claude-*; ${noneHint}` },
  "rate-limit": { type: "string", description: `Requests a minute; ${noneHint}` },
  "tpm-limit": { type: "string", description: `Tokens a minute; ${noneHint}` },
  concurrency: { type: "string", description: `Calls at once; ${noneHint}` },
  "pii-mode": { type: "string", description: "off" },
  metadata: { type: "string", description: `customer=c-1,plan=gold; ${noneHint}` },
  "allowed-ips": { type: "string", description: `Addresses and ranges with commas between them: 10.0.0.0/8; ${noneHint}` },
  agent: { type: "string", description: `The agent that its calls count as; ${noneHint}` },
  "drop-params": { type: "boolean", description: "Leave out what a provider cannot honour instead of refusing it" },
  "response-metadata": { type: "string", description: "inline, headers or off" },
} as const;

type Terms = { readonly [K in keyof typeof TERMS]?: string | boolean | undefined };

const text = (value: string | boolean | undefined): string | undefined => (typeof value === "string" ? value : undefined);

function fieldsOf(args: Terms): Record<string, unknown> {
  return given({
    name: args.name,
    expires_at: textOf(text(args.expires)),
    project: textOf(text(args.project)),
    role: args.role,
    allowed_models: listOf(text(args["allowed-models"])),
    rate_limit: wholeOf("--rate-limit", text(args["rate-limit"])),
    tpm_limit: wholeOf("--tpm-limit", text(args["tpm-limit"])),
    concurrency: wholeOf("--concurrency", text(args.concurrency)),
    pii_mode: args["pii-mode"],
    metadata: pairsOf("--metadata", text(args.metadata)),
    allowed_ips: listOf(text(args["allowed-ips"])),
    agent: textOf(text(args.agent)),
    drop_params: args["drop-params"],
    response_metadata: args["response-metadata"],
  });
}

export const keysCommand = (desk: Desk) =>
  defineCommand({
    meta: { name: "keys", description: "Make, list, change, rotate and revoke API keys" },
    subCommands: {
      create: createCommand(desk),
      list: listCommand(desk),
      show: showCommand(desk, "/keys", "Show a key and its budgets: tollway keys show key_…"),
      update: updateCommand(desk),
      rotate: rotateCommand(desk),
      revoke: revokeCommand(desk),
    },
  });

const createCommand = (desk: Desk) =>
  defineCommand({
    meta: {
      name: "create",
      description: 'Make a key, shown once: tollway keys create --name "my app" --allowed-models "gpt-4o*" --limit-usd 25 --window month',
    },
    args: {
      ...TERMS,
      name: { ...TERMS.name, required: true },
      mode: { type: "string", description: "live, or test (simulator, never charged)", default: "live" },
      ...budgetFlags,
      organization,
      json,
      data,
    },
    async run({ args }) {
      const budget = budgetOf(args);
      const body = { ...fieldsOf(args), mode: args.mode, ...(budget === undefined ? {} : { budgets: [budget] }) };
      const made = (await desk.admin(args)("POST", pathOf("/keys", { organization: args.organization }), body)) as Document;
      if (args.json) return desk.output.data(JSON.stringify({ id: made.id, key: made["key"] }));
      desk.output.data(String(made["key"]));
      desk.output.message(`Made ${made.id} ("${made["name"]}", ${made["mode"]}). The key above is shown this once.`);
    },
  });

const listCommand = (desk: Desk) =>
  defineCommand({
    meta: { name: "list", description: "List keys: id, mode, status, when it was made, name" },
    args: { organization, json, data },
    async run({ args }) {
      const keys = await everyEntry(desk.admin(args), "/keys", { organization: args.organization });
      const cells = (key: Document) => [key.id, key["mode"], key["status"], key["created_at"], key["name"]];
      printAll(desk, args, keys, cells, 'There are no keys yet: tollway keys create --name "my app"');
    },
  });

const updateCommand = (desk: Desk) =>
  defineCommand({
    meta: {
      name: "update",
      description: "Change a key, for its next call: tollway keys update key_… --rate-limit 60 --allowed-models none",
    },
    args: { id, ...TERMS, organization, json, data },
    async run({ args }) {
      const path = at("/keys", args.id, { organization: args.organization });
      const changed = (await desk.admin(args)("PATCH", path, fieldsOf(args))) as Document;
      printDone(desk, args, changed, `Changed ${changed.id} ("${changed["name"]}").`);
    },
  });

const rotateCommand = (desk: Desk) =>
  defineCommand({
    meta: {
      name: "rotate",
      description: "A new secret, shown once; the old one counts on for a day: tollway keys rotate key_… --grace-seconds 3600",
    },
    args: {
      id,
      "grace-seconds": { type: "string", description: "How long both count; 0 ends the old one at once (86400)" },
      organization,
      json,
      data,
    },
    async run({ args }) {
      const path = at(`/keys/${encodeURIComponent(args.id)}`, "rotate", { organization: args.organization });
      const body = given({ grace_seconds: wholeOf("--grace-seconds", args["grace-seconds"]) });
      const rotated = (await desk.admin(args)("POST", path, body)) as Document;
      if (args.json) {
        const { id: rotatedId, key, previous_valid_until: until } = rotated;
        return desk.output.data(JSON.stringify({ id: rotatedId, key, previous_valid_until: until }));
      }
      desk.output.data(String(rotated["key"]));
      const until = rotated["previous_valid_until"];
      const old = until === null ? "The old one counts no more." : `The old one counts until ${until}.`;
      desk.output.message(`Rotated ${rotated.id}. The key above is shown this once. ${old}`);
    },
  });

const revokeCommand = (desk: Desk) =>
  defineCommand({
    meta: { name: "revoke", description: "Revoke a key, at once: tollway keys revoke key_…" },
    args: {
      id,
      "cut-streams": { type: "boolean", description: "End its streams that are under way too", default: false },
      organization,
      json,
      data,
    },
    async run({ args }) {
      const query = { organization: args.organization, cut_streams: args["cut-streams"] ? "true" : undefined };
      const done = await desk.admin(args)("DELETE", at("/keys", args.id, query));
      printDone(desk, args, done, `Revoked ${args.id}.`);
    },
  });
