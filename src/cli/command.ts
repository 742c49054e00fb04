// The command tree. Data on stdout, messages on stderr, no secret in a flag.
import { defineCommand } from "citty";
import type { AdminCall, Output } from "./admin-call";
import { keysCommand } from "./keys";

/** What main.ts does for commands. Flags are undefined where they were not given. */
export interface Doing {
  serve(flags: { port: string | undefined; host: string | undefined; data: string | undefined; config: string | undefined }): Promise<void>;
  admin(flags: { data?: string | undefined }): AdminCall;
  output: Output;
  version: string;
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
      keys: keysCommand(doing.admin, doing.output),
      version: defineCommand({
        meta: { name: "version", description: "Print the version" },
        run: () => doing.output.data(doing.version),
      }),
    },
  });

/** The arguments with the default command put in, and whether they name a command that is not there. */
export function withDefaultCommand(args: readonly string[], names: readonly string[]): { args: string[]; unknown: string | undefined } {
  const [first] = args;
  if (first === undefined || (first.startsWith("-") && !["--help", "-h", "--version", "-v"].includes(first))) {
    return { args: [DEFAULT_COMMAND, ...args], unknown: undefined };
  }
  return { args: [...args], unknown: first.startsWith("-") || names.includes(first) ? undefined : first };
}
