// docs/compatibility.md, written from what was found.
import type { FieldKind, FieldTable } from "../../src/dialects/field-table";
import { CAPABILITIES } from "./asks";
import { LOSSES } from "./losses";
import { type Cell, cellOf, DOORS, ROWS } from "./matrix";

const DOOR_TITLES: Readonly<Record<string, string>> = {
  chat: "`POST /v1/chat/completions`",
  responses: "`POST /v1/responses`",
  messages: "`POST /v1/messages`",
};

/** The page. Without the large set of recordings every answer counts as not recorded: only written where it is there. */
export function compatibilityPage(): string {
  return [INTRODUCTION, ...DOORS.map(doorTable), losses(), fields(), ""].join("\n");
}

const INTRODUCTION = `# Compatibility

Which door can ask which provider for what. This page is written by a test (\`test/compatibility\`), which encodes each request for
each provider's row and reads and writes every recorded answer; it fails when the page is not what it found. To write it anew:
\`TOLLWAY_WRITE_DOCS=1 bun test test/compatibility\`.

| mark | meaning |
|---|---|
| ✓ *n* | works: the request goes out, and *n* recorded answers of that provider were read and written in the door's dialect |
| ○ | the request goes out; no recorded answer of this provider is known to be one to it |
| ✗ \`field\` | refused by name (400 \`unsupported_parameter\`), before anything is sent: the provider has no place for it. \`drop_params\` on the key drops it instead |
| − \`field\` | a hint: left out, and named in \`x-tollway-ignored\` and \`tollway.ignored\` |
| (blank) | the dialect of the door has no words for it |

\`byo\` stands for any OpenAI-compatible endpoint; Azure's and llama.cpp's recordings count there, Vertex's under gemini.
`;

function doorTable(door: (typeof DOORS)[number]): string {
  const names = ROWS.map((row) => row.name.replace(/:.*/, ""));
  const lines = CAPABILITIES.map((capability) => {
    const cells = ROWS.map((row) => mark(cellOf(door, row, capability)));
    return `| ${capability.name} | ${cells.join(" | ")} |`;
  });
  return [
    `## ${DOOR_TITLES[door.name] ?? door.name}\n`,
    `| | ${names.join(" | ")} |`,
    `|---|${names.map(() => "---").join("|")}|`,
    ...lines,
    "",
  ].join("\n");
}

function mark(cell: Cell): string {
  switch (cell.kind) {
    case "unsaid":
      return "";
    case "refused":
      return `✗ \`${cell.param}\``;
    case "sent": {
      const left = cell.leftOut.map((name) => ` − \`${name}\``).join("");
      return (cell.answers > 0 ? `✓ ${cell.answers}` : "○") + left;
    }
  }
}

function losses(): string {
  const rows = LOSSES.map(({ fact, doors, rule }) => `| ${fact} | ${doors.join(", ")} | ${rule} |`);
  return [
    "## What a dialect has no place for in answers\n",
    "Everything else that an answer holds comes through each door; `test/compatibility/round-trip.test.ts` holds that, over every recording and over random answers.\n",
    "| fact | doors | rule |",
    "|---|---|---|",
    ...rows,
    "",
  ].join("\n");
}

/** Kinds that depend on the value are shown by what a value that is there means. */
const kindText = (kind: FieldKind | ((value: unknown) => FieldKind)): string => (typeof kind === "function" ? "by its value" : kind);

function fields(): string {
  const tables = DOORS.map(({ name, dialect }) => {
    const table: FieldTable = dialect.fields;
    const rows = Object.keys(table)
      .sort()
      .map((field) => `| \`${field}\` | ${kindText(table[field]?.kind ?? "hint")} |`);
    return [`### ${DOOR_TITLES[name] ?? name}\n`, "| field | kind |", "|---|---|", ...rows, ""].join("\n");
  });
  return [
    "## Fields of requests\n",
    "A *meaning* that the target cannot honour is refused by name; a *hint* is left out and named; a *gateway* field is for Tollway and goes to no provider. What is not listed is a hint. Fields that every dialect has a place for (model, messages, stream) are not listed.\n",
    ...tables,
  ].join("\n");
}
