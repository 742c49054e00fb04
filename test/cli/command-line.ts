// The command line over the real admin door of a house, as main.ts runs it.
import { runCommand } from "citty";
import { adminCallOver } from "../../src/cli/admin-call";
import { checkArguments, commandAsked, tollwayCommand, withDefaultCommand } from "../../src/cli/command";
import type { SecretSource } from "../../src/cli/secret-source";
import { openApp } from "../../src/http/app";
import { PROVIDERS } from "../../src/providers/registry";
import type { RunningHouse } from "../e2e/house";

export interface CommandLine {
  /** Runs a command; the result is what it printed on stdout. */
  run(...args: string[]): Promise<string[]>;
  /** The same, of one line of JSON. */
  json<T>(...args: string[]): Promise<T>;
  /** Runs a command that is refused; the result is what it said. */
  refusal(...args: string[]): Promise<string>;
  /** What the last command printed on stderr. */
  messages(): string;
  /** What the last command showed of its progress, line by line. */
  progress(): readonly string[];
}

/** Nobody writes to stdin, and no variable is set. */
const NO_SECRETS: SecretSource = { variable: () => undefined, input: async () => undefined };

export function commandLine(house: RunningHouse, secrets = NO_SECRETS): CommandLine {
  const door = openApp(
    { ports: house.ports, everyProvider: PROVIDERS.map(({ name }) => name), version: "test", readiness: () => ({ ready: true }) },
    { adminKey: undefined, trusted: true },
  );
  let messages: string[] = [];
  let shown: string[] = [];
  const run = async (...args: string[]): Promise<string[]> => {
    const lines: string[] = [];
    messages = [];
    shown = [];
    const root = tollwayCommand({
      files: {
        download: async (_, path, use) => use(await door(new Request(`http://gateway.invalid${path}`))),
        stdout: async (bytes) => void lines.push(new TextDecoder().decode(bytes)),
        progress: (line) => void shown.push(line),
      },
      serve: () => Promise.reject(new Error("not served here")),
      admin: () => adminCallOver(door),
      output: { data: (line) => void lines.push(line), message: (line) => void messages.push(line) },
      version: "test",
      secrets,
    });
    const rawArgs = withDefaultCommand(args);
    await checkArguments(await commandAsked(root, rawArgs));
    await runCommand(root, { rawArgs });
    return lines;
  };
  return {
    run,
    async json<T>(...args: string[]) {
      const lines = await run(...args, "--json");
      if (lines.length !== 1 || messages.length > 0) throw new Error(`Not one line of JSON: ${lines.join("\n")} ${messages.join("\n")}`);
      return JSON.parse(lines[0] ?? "") as T;
    },
    async refusal(...args) {
      const thrown = await run(...args).then(
        (lines) => new Error(`Not refused: ${args.join(" ")} → ${lines.join("\n")}`, { cause: "test" }),
        (error: unknown) => error,
      );
      if (thrown instanceof Error && thrown.cause !== "test") return thrown.message;
      throw thrown;
    },
    messages: () => messages.join("\n"),
    progress: () => shown,
  };
}
