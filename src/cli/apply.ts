// tollway apply FILE: what a file says of organizations, teams, projects, keys, limits and budgets is made so.
import { readFile } from "node:fs/promises";
import { defineCommand } from "citty";
import { readSetup, type Setup } from "../config";
import { CommandFailed } from "./admin-call";
import { type Desk, data, json, pathOf } from "./admin-flags";

interface Applied {
  created: number;
  updated: number;
  unchanged: number;
  changes: { section: string; name: string; organization: string; action: "create" | "update" | "unchanged"; changed: string[] }[];
  keys: { id: string; name: string; key: string }[];
}

const SIGNS = { create: "+", update: "~", unchanged: " " } as const;

export const applyCommand = (desk: Desk) =>
  defineCommand({
    meta: {
      name: "apply",
      description: "Make what a file names, and change what differs from it. Twice is as once: tollway apply tollway.yaml --dry-run",
    },
    args: {
      file: {
        type: "positional",
        description: "A YAML file with sections organizations, teams, projects, keys, limits, budgets",
        required: true,
      },
      "dry-run": { type: "boolean", description: "Show what would change, and change nothing", default: false },
      json,
      data,
    },
    async run({ args }) {
      const setup = readSetup({ name: args.file, text: await textOfFile(args.file) });
      const body = { ...setup.sections, dry_run: args["dry-run"] };
      const applied = (await desk
        .admin(args)("POST", pathOf("/apply"), body)
        .catch((thrown: unknown) => {
          throw placed(thrown, args.file, setup);
        })) as Applied;
      if (args.json) return desk.output.data(JSON.stringify(applied));
      print(applied, args["dry-run"], desk);
    },
  });

async function textOfFile(path: string): Promise<string> {
  try {
    return await readFile(path, "utf8");
  } catch (thrown) {
    const code = thrown instanceof Error && "code" in thrown ? thrown.code : undefined;
    if (code === "ENOENT") throw new CommandFailed(`There is no file ${path}.`);
    throw new CommandFailed(`${path} cannot be read (${thrown instanceof Error ? thrown.message : String(thrown)}).`);
  }
}

/** The gateway's faults with where in the file they are. */
function placed(thrown: unknown, file: string, setup: Setup): unknown {
  if (!(thrown instanceof CommandFailed) || thrown.faults.length === 0) return thrown;
  const lines = thrown.faults.map(({ param, message }) => `${file}:${setup.placeOf(param)}: ${message}`);
  return new CommandFailed(`Nothing was changed.\n${lines.join("\n")}`, thrown.faults);
}

function print({ created, updated, unchanged, changes, keys }: Applied, dryRun: boolean, { output }: Desk): void {
  for (const { section, name, organization, action, changed } of changes) {
    if (action === "unchanged") continue;
    const where = organization === "default" || section === "organizations" ? "" : ` in ${organization}`;
    output.message(`${SIGNS[action]} ${section} ${name}${where}${changed.length === 0 ? "" : `: ${changed.join(", ")}`}`);
  }
  const verb = dryRun ? "Would make" : "Made";
  output.message(`${verb} ${created}, ${dryRun ? "change" : "changed"} ${updated}, ${unchanged} as they were.`);
  if (keys.length > 0) output.message("New keys, shown this once:");
  for (const { id, name, key } of keys) output.data([id, name, key].join("\t"));
}
