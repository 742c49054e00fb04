// tollway keys …: a client of /admin/v1, over whatever main.ts found to answer it.
import { defineCommand } from "citty";
import type { AdminCall, Output } from "./admin-call";

interface KeyDocument {
  id: string;
  name: string;
  mode: string;
  status: string;
  created_at: string;
  key?: string;
}

const json = { type: "boolean", description: "Print JSON on stdout", default: false } as const;
const data = { type: "string", description: "Folder of the gateway's data (TOLLWAY_DATA)" } as const;

export const keysCommand = (admin: (flags: { data?: string | undefined }) => AdminCall, output: Output) =>
  defineCommand({
    meta: { name: "keys", description: "Make, list and revoke API keys" },
    subCommands: { create: createCommand(admin, output), list: listCommand(admin, output), revoke: revokeCommand(admin, output) },
  });

const createCommand = (admin: (flags: { data?: string | undefined }) => AdminCall, output: Output) =>
  defineCommand({
    meta: { name: "create", description: 'Make a key, shown once: tollway keys create --name "my app"' },
    args: {
      name: { type: "string", description: "What the key is for", required: true },
      mode: { type: "string", description: "live, or test (simulator, never charged)", default: "live" },
      expires: { type: "string", description: "When it ends, such as 2027-01-31T00:00:00Z" },
      json,
      data,
    },
    async run({ args }) {
      const made = (await admin(args)("POST", "/admin/v1/keys", {
        name: args.name,
        mode: args.mode,
        ...(args.expires ? { expires_at: args.expires } : {}),
      })) as KeyDocument;
      if (args.json) return output.data(JSON.stringify({ id: made.id, key: made.key }));
      output.data(String(made.key));
      output.message(`Made ${made.id} ("${made.name}", ${made.mode}). The key above is shown this once.`);
    },
  });

const listCommand = (admin: (flags: { data?: string | undefined }) => AdminCall, output: Output) =>
  defineCommand({
    meta: { name: "list", description: "List keys" },
    args: { json, data },
    async run({ args }) {
      const keys: KeyDocument[] = [];
      let cursor = "";
      do {
        const page = (await admin(args)("GET", `/admin/v1/keys?limit=1000${cursor}`)) as {
          data: KeyDocument[];
          next_cursor: string | null;
        };
        keys.push(...page.data);
        cursor = page.next_cursor ? `&cursor=${encodeURIComponent(page.next_cursor)}` : "";
      } while (cursor !== "");
      if (args.json) return output.data(JSON.stringify(keys));
      for (const key of keys) output.data([key.id, key.mode, key.status, key.created_at, key.name].join("\t"));
      if (keys.length === 0) output.message('There are no keys yet: tollway keys create --name "my app"');
    },
  });

const revokeCommand = (admin: (flags: { data?: string | undefined }) => AdminCall, output: Output) =>
  defineCommand({
    meta: { name: "revoke", description: "Revoke a key, at once: tollway keys revoke key_…" },
    args: { id: { type: "positional", description: "The key's id", required: true }, json, data },
    async run({ args }) {
      const done = await admin(args)("DELETE", `/admin/v1/keys/${encodeURIComponent(args.id)}`);
      if (args.json) return output.data(JSON.stringify(done));
      output.message(`Revoked ${args.id}.`);
    },
  });
