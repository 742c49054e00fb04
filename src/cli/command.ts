// The command tree. Data on stdout, messages on stderr, no secret in a flag.
import { type ArgsDef, type CommandDef, defineCommand } from "citty";
import { type AdminCall, CommandFailed, type Output } from "./admin-call";
import { applyCommand } from "./apply";
import { budgetsCommand } from "./budgets";
import { creditsCommand } from "./credits";
import { doctorCommand } from "./doctor";
import { type Downloading, exportCommand } from "./export";
import { keysCommand } from "./keys";
import { meant } from "./nearest";
import { limitsCommand, organizationsCommand, projectsCommand, teamsCommand } from "./people";
import { providersCommand } from "./providers";
import type { SecretSource } from "./secret-source";
import { usageCommand } from "./usage";

/** What main.ts does for commands. Flags are undefined where they were not given. */
export interface Doing {
  /** What is too long for a listing. */
  files: Pick<Downloading, "download" | "stdout" | "progress">;
  serve(flags: { port: string | undefined; host: string | undefined; data: string | undefined; config: string | undefined }): Promise<void>;
  admin(flags: { data?: string | undefined }): AdminCall;
  output: Output;
  version: string;
  /** Where secrets are read from. */
  secrets: SecretSource;
}

/** Without a command the gateway is served. */
export const DEFAULT_COMMAND = "serve";

export const tollwayCommand = (doing: Doing) =>
  defineCommand({
    meta: { name: "tollway", version: doing.version, description: "A self-hosted LLM gateway. tollway serve --port 8642 --data ./data" },
    subCommands: {
      serve: defineCommand({
        meta: { name: "serve", description: "Run the gateway (the default): tollway serve --port 8642 --data ./data" },
        args: {
          port: { type: "string", description: "Port (TOLLWAY_PORT, 8642)" },
          host: { type: "string", description: "Address (TOLLWAY_HOST, 127.0.0.1)" },
          data: { type: "string", description: "Folder of database, lock and socket (TOLLWAY_DATA, ./data)" },
          config: { type: "string", description: "Settings file (tollway.yaml)" },
        },
        run: ({ args }) => doing.serve({ port: args.port, host: args.host, data: args.data, config: args.config }),
      }),
      keys: keysCommand(doing),
      budgets: budgetsCommand(doing),
      limits: limitsCommand(doing),
      organizations: organizationsCommand(doing),
      teams: teamsCommand(doing),
      projects: projectsCommand(doing),
      credits: creditsCommand(doing),
      usage: usageCommand(doing),
      providers: providersCommand(doing, doing.secrets),
      export: exportCommand({ ...doing.files, output: doing.output }),
      apply: applyCommand(doing),
      doctor: doctorCommand(doing),
      version: defineCommand({
        meta: { name: "version", description: "Print the version" },
        run: () => doing.output.data(doing.version),
      }),
    },
  });

/** Flags that stand before any command, or after every one. */
const ANYWHERE = new Set(["--help", "-h", "--version", "-v"]);

/** The arguments with the default command put in. */
export const withDefaultCommand = (args: readonly string[]): string[] =>
  args[0] === undefined || (args[0].startsWith("-") && !ANYWHERE.has(args[0])) ? [DEFAULT_COMMAND, ...args] : [...args];

export interface Asked {
  command: CommandDef<ArgsDef>;
  /** "tollway keys create" */
  name: string;
  /** What stands after the command's words. */
  rest: readonly string[];
}

/** The command that the arguments name. Throws `CommandFailed` for one that is not there. */
export async function commandAsked(root: CommandDef<ArgsDef>, args: readonly string[]): Promise<Asked> {
  let asked: Asked = { command: root, name: "tollway", rest: args };
  for (;;) {
    const inner = await resolved(asked.command.subCommands);
    const [word, ...rest] = asked.rest;
    if (inner === undefined || word === undefined || word.startsWith("-")) return asked;
    const command = Object.hasOwn(inner, word) ? await resolved(inner[word]) : undefined;
    if (!command) {
      const hint = meant(word, Object.keys(inner), (found) => `${asked.name} ${found}`);
      throw new CommandFailed(`There is no command "${asked.name} ${word}".${hint} ${asked.name} --help lists what there is.`);
    }
    asked = { command, name: `${asked.name} ${word}`, rest };
  }
}

/** Refuses what the command would not look at: a misspelled flag must not pass for one that was not given. Throws `CommandFailed`. */
export async function checkArguments({ command, name, rest }: Asked): Promise<void> {
  if (command.subCommands !== undefined) throw new CommandFailed(`${name} needs a command. ${name} --help lists them.`);
  const known = Object.entries((await resolved(command.args)) ?? {});
  const flags = new Map(known.filter(([, definition]) => definition.type !== "positional"));
  let positions = known.length - flags.size;
  const seen = new Set<string>();
  for (let at = 0; at < rest.length; at++) {
    const [word = "", value] = (rest[at] ?? "").split("=", 2);
    if (!word.startsWith("-")) {
      if (positions-- > 0) continue;
      throw new CommandFailed(`${name} does not take "${word}". ${name} --help lists what it takes.`);
    }
    const flag = word.startsWith("--") ? flags.get(word.slice(2)) : undefined;
    if (!flag) {
      const hint = meant(
        word,
        [...flags.keys()].map((one) => `--${one}`),
      );
      throw new CommandFailed(`${name} has no flag ${word}.${hint} ${name} --help lists them.`);
    }
    if (seen.has(word)) throw new CommandFailed(`${word} is given twice.`);
    seen.add(word);
    if (flag.type === "boolean" || value !== undefined) continue;
    const next = rest[++at];
    if (next === undefined || next.startsWith("--")) throw new CommandFailed(`${word} needs a value.`);
  }
}

/** citty takes values, promises of them and functions that make them. */
const resolved = async <T>(value: T | Promise<T> | (() => T) | (() => Promise<T>) | undefined): Promise<T | undefined> =>
  typeof value === "function" ? await (value as () => T | Promise<T>)() : await value;
