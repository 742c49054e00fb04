// Where a command takes a secret from. Never from a flag: those are seen by everyone on the machine, and kept in the shell's history.
import { readFile } from "node:fs/promises";
import { CommandFailed } from "./admin-call";

/** What main.ts hands in. */
export interface SecretSource {
  /** An environment variable's value. */
  variable(name: string): string | undefined;
  /** All of stdin. undefined: it is a terminal, and nobody wrote to it. */
  input(): Promise<string | undefined>;
}

export const secretFlags = {
  "key-file": { type: "string", description: "File that holds the secret" },
  "key-env": { type: "string", description: "Environment variable that holds it. Without either it is read from stdin" },
} as const;

/** The secret, without the line end that files have. Throws `CommandFailed`. */
export async function readSecret(
  args: { "key-file"?: string | undefined; "key-env"?: string | undefined },
  source: SecretSource,
): Promise<string> {
  const { "key-file": file, "key-env": variable } = args;
  if (file !== undefined && variable !== undefined) throw new CommandFailed("Give --key-file or --key-env, not both.");
  const [text, from] =
    file !== undefined
      ? [await readFile(file, "utf8"), file]
      : variable !== undefined
        ? [source.variable(variable), `The variable ${variable}`]
        : [await source.input(), "stdin"];
  if (text === undefined && variable === undefined)
    throw new CommandFailed("The secret is read from stdin: … < key.txt. Or name --key-file FILE or --key-env NAME.");
  const secret = (text ?? "").trim();
  if (secret === "") throw new CommandFailed(`${from} holds no secret.`);
  return secret;
}
