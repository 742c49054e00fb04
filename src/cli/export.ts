// tollway export …: the ledger as a file. It is written beside its name first, so that what has the name is whole.
import { open, rename, rm } from "node:fs/promises";
import { defineCommand } from "citty";
import { CommandFailed, failureOf } from "./admin-call";
import { data, organization, pathOf } from "./admin-flags";

/** What a download needs of the world. */
export interface Downloading {
  /** Asks /admin/v1 and hands the answer over while whoever gave it stands. */
  download<T>(flags: { data?: string | undefined }, path: string, use: (answer: Response) => Promise<T>): Promise<T>;
  /** Writes bytes to stdout. */
  stdout(bytes: Uint8Array): Promise<void>;
  /** Shows a line in place of the last one; undefined: nobody is looking (no terminal). */
  progress: ((line: string) => void) | undefined;
  output: { message(line: string): void };
}

const FORMATS = ["csv", "jsonl", "focus"];
const BAR_WIDTH = 30;
const NEWLINE = 10;
const ROWS_HEADER = /^x-[a-z0-9-]+-rows$/;

export const exportCommand = (desk: Downloading) =>
  defineCommand({
    meta: {
      name: "export",
      description: "Write the ledger to a file: tollway export focus --from 2026-11-01 --to 2026-12-01 --out november.csv",
    },
    args: {
      format: { type: "positional", description: "csv, jsonl or focus (FOCUS 1.2, for FinOps tools)", required: true },
      out: { type: "string", description: "The file (stdout)" },
      from: { type: "string", description: "Calls from this time on, such as 2026-11-01 or 2026-11-01T09:00:00Z" },
      to: { type: "string", description: "Calls before this time (now)" },
      mode: { type: "string", description: "live, or test: what test keys did (live)" },
      organization,
      data,
    },
    async run({ args }) {
      if (!FORMATS.includes(args.format))
        throw new CommandFailed(`The format is one of ${FORMATS.join(", ")}, and "${args.format}" is none.`);
      const { format, from, to, mode } = args;
      const path = pathOf("/export", { format, from, to, mode, organization: args.organization });
      const rows = await desk.download(args, path, (answer) => save(answer, args.out, desk));
      desk.output.message(`Wrote ${rows.toLocaleString("en")} rows${args.out === undefined ? "" : ` to ${args.out}`}.`);
    },
  });

/** Resolves with the number of rows. Throws `CommandFailed`, and then there is no file. */
async function save(answer: Response, out: string | undefined, desk: Downloading): Promise<number> {
  if (!answer.ok) throw failureOf(await answer.json());
  const head = answer.headers.get("content-type")?.startsWith("text/csv") ? 1 : 0;
  const progress = new Progress(rowsOf(answer), desk.progress);
  if (out === undefined) return (await pour(answer, progress, desk.stdout)) - head;
  const part = `${out}.part`;
  const file = await open(part, "w").catch((error: unknown) => {
    throw new CommandFailed(`${part} cannot be written (${error instanceof Error ? error.message : String(error)}).`);
  });
  try {
    const lines = await pour(answer, progress, async (bytes) => void (await file.writeFile(bytes)));
    await file.sync();
    await file.close();
    await rename(part, out);
    return lines - head;
  } catch (error) {
    await file.close();
    await rm(part, { force: true });
    throw error instanceof CommandFailed ? error : new CommandFailed(`The export broke off, and nothing was written (${String(error)}).`);
  }
}

/** The number of lines. */
async function pour(answer: Response, progress: Progress, write: (bytes: Uint8Array) => Promise<void>): Promise<number> {
  for await (const bytes of answer.body ?? []) {
    await write(bytes);
    progress.add(bytes);
  }
  progress.end();
  return progress.lines;
}

/** As many as there were at the beginning; undefined: it was not told. */
function rowsOf(answer: Response): number | undefined {
  for (const [name, value] of answer.headers) if (ROWS_HEADER.test(name) && /^\d+$/.test(value)) return Number(value);
  return undefined;
}

class Progress {
  lines = 0;
  readonly #rows: number | undefined;
  readonly #show: ((line: string) => void) | undefined;
  #shown = "";

  constructor(rows: number | undefined, show: ((line: string) => void) | undefined) {
    this.#rows = rows;
    this.#show = show;
  }

  add(bytes: Uint8Array): void {
    for (let at = bytes.indexOf(NEWLINE); at !== -1; at = bytes.indexOf(NEWLINE, at + 1)) this.lines++;
    this.#tell();
  }

  end(): void {
    if (this.#shown !== "") this.#show?.("");
  }

  #tell(): void {
    if (this.#show === undefined || this.#rows === undefined) return;
    const share = this.#rows === 0 ? 1 : Math.min(1, this.lines / this.#rows);
    const full = Math.floor(share * BAR_WIDTH);
    const bar = `[${"#".repeat(full)}${".".repeat(BAR_WIDTH - full)}] ${String(Math.floor(share * 100)).padStart(3)} %`;
    if (bar === this.#shown) return;
    this.#shown = bar;
    this.#show(`${bar} of ${this.#rows.toLocaleString("en")} rows`);
  }
}
