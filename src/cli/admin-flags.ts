// What the commands that ask /admin/v1 have in common: flags, listings, and how values of flags become fields.
import { defineCommand } from "citty";
import { type AdminCall, CommandFailed, type Output } from "./admin-call";

/** What such a command is made with. */
export interface Desk {
  admin(flags: { data?: string | undefined }): AdminCall;
  output: Output;
}

export type Document = Readonly<Record<string, unknown>> & { readonly id: string };

export const json = { type: "boolean", description: "Print JSON on stdout", default: false } as const;
export const data = { type: "string", description: "Folder of the gateway's data (TOLLWAY_DATA)" } as const;
export const organization = { type: "string", description: "Id or name of the organization (default)" } as const;
export const id = { type: "positional", description: "Its id", required: true } as const;

/** The path with its id and its query. */
export function pathOf(path: string, query: Readonly<Record<string, string | undefined>> = {}): string {
  const asked = Object.entries(query).filter((pair): pair is [string, string] => pair[1] !== undefined);
  return asked.length === 0 ? `/admin/v1${path}` : `/admin/v1${path}?${new URLSearchParams(asked)}`;
}

export const at = (path: string, one: string, query?: Readonly<Record<string, string | undefined>>): string =>
  pathOf(`${path}/${encodeURIComponent(one)}`, query);

/** Every entry of a listing. */
export async function everyEntry(call: AdminCall, path: string, query: Readonly<Record<string, string | undefined>>): Promise<Document[]> {
  const entries: Document[] = [];
  let cursor: string | undefined;
  do {
    const page = (await call("GET", pathOf(path, { limit: "1000", ...query, cursor }))) as { data: Document[]; next_cursor: string | null };
    entries.push(...page.data);
    cursor = page.next_cursor ?? undefined;
  } while (cursor !== undefined);
  return entries;
}

/** One line an entry, its cells with tabs between them; or all of it as JSON. */
export function printAll(
  { output }: Desk,
  args: { json: boolean },
  entries: readonly Document[],
  cells: (entry: Document) => readonly unknown[],
  none: string,
): void {
  if (args.json) output.data(JSON.stringify(entries));
  else if (entries.length === 0) output.message(none);
  else for (const entry of entries) output.data(cells(entry).map(cellText).join("\t"));
}

/** What came back: as JSON, or its id on stdout and a sentence on stderr. */
export function printMade({ output }: Desk, args: { json: boolean }, made: Document, sentence: string): void {
  output.data(args.json ? JSON.stringify(made) : made.id);
  if (!args.json) output.message(sentence);
}

/** What was done: as JSON, or a sentence on stderr. */
export function printDone({ output }: Desk, args: { json: boolean }, done: unknown, sentence: string): void {
  if (args.json) output.data(JSON.stringify(done));
  else output.message(sentence);
}

/** `show ID`: the one at that path, a line a field. */
export const showCommand = (desk: Desk, path: string, description: string) =>
  defineCommand({
    meta: { name: "show", description },
    args: { id, organization, json, data },
    async run({ args }) {
      printOne(desk, args, (await desk.admin(args)("GET", at(path, args.id, { organization: args.organization }))) as Document);
    },
  });

/** One document, a line a field. */
function printOne({ output }: Desk, args: { json: boolean }, one: Document): void {
  if (args.json) output.data(JSON.stringify(one));
  else for (const [field, value] of Object.entries(one)) output.data(`${field}\t${cellText(value)}`);
}

/** Tabs and line ends part cells and lines: in a name they would make two of one. */
const cellText = (value: unknown): string => {
  if (value === null || value === undefined) return "-";
  return (typeof value === "object" ? JSON.stringify(value) : String(value)).replace(/[\p{Cc}\u2028\u2029]/gu, " ");
};

/** What takes a limit away. */
const NONE = "none";
export const noneHint = `"${NONE}" takes it away`;

/** undefined: the flag was not given. null: "none". Throws `CommandFailed` for what is no whole number. */
export function wholeOf(flag: string, text: string | undefined): number | null | undefined {
  if (text === undefined) return undefined;
  if (text === NONE) return null;
  if (!/^\d{1,15}$/.test(text)) throw new CommandFailed(`${flag} takes a whole number, and "${text}" is none.`);
  return Number(text);
}

export const textOf = (text: string | undefined): string | null | undefined => (text === NONE ? null : text);

/** Values with commas between them. */
export function listOf(text: string | undefined): string[] | null | undefined {
  if (text === undefined) return undefined;
  return text === NONE
    ? null
    : text
        .split(",")
        .map((part) => part.trim())
        .filter((part) => part !== "");
}

/** "a=1,b=2". Throws `CommandFailed` for a part without a sign. */
export function pairsOf(flag: string, text: string | undefined): Record<string, string> | null | undefined {
  const parts = listOf(text);
  return parts && Object.fromEntries(parts.map((part) => pairOf(flag, part)));
}

function pairOf(flag: string, part: string): [string, string] {
  const sign = part.indexOf("=");
  if (sign < 1) throw new CommandFailed(`${flag} takes NAME=VALUE with commas between them, and "${part}" is none.`);
  return [part.slice(0, sign), part.slice(sign + 1)];
}

/** The fields that were given. */
export const given = (fields: Readonly<Record<string, unknown>>): Record<string, unknown> =>
  Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined));
