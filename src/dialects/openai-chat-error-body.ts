// What an error body says, in the many shapes of the providers of Chat Completions. Nothing of it is passed on but for the message,
// less what looks like a key or names an account.
import { itemsOf, type JsonObject, objectOf, parseJson, textOf } from "./provider-json";
import { safeProviderMessage } from "./provider-message";

export interface Said {
  message: string | undefined;
  type: string | undefined;
  code: string | undefined;
  param: string | undefined;
}

/**
 * `{error: {message, …}}`; flat: `{error: "…", code}`, `{error, message}`, `{message, type, code}`, `{detail}`; lists of what is wrong
 * with which field (pydantic's); and a router's, which holds the error of the provider behind it.
 */
export function readError(body: unknown): Said {
  const object = objectOf(body);
  const inner = objectOf(object?.["error"]) ?? object;
  const [first, ...more] = complaintsOf(object, inner);
  const said = textOf(inner?.["message"]) ?? textOf(object?.["error"]) ?? textOf(object?.["detail"]);
  const listed = first === undefined ? undefined : [first, ...more].map(({ path, text }) => `${path}: ${text}`).join("; ");
  const message = [said, listed, behind(inner)].filter((text) => text !== undefined).join(": ") || undefined;
  return {
    message: message === undefined ? undefined : redact(message),
    type: wordOf(first?.type) ?? wordOf(inner?.["type"]),
    code: wordOf(inner?.["code"]),
    param: wordOf(inner?.["param"]) ?? wordOf(first?.path) ?? paramIn(message),
  };
}

interface Complaint {
  path: string;
  text: string;
  type: string | undefined;
}

/** `[{loc: ["body", "messages", 0, "user", "name"], msg, type}]`, wherever it stands. */
function complaintsOf(object: JsonObject | undefined, inner: JsonObject | undefined): Complaint[] {
  const lists = [object?.["detail"], objectOf(object?.["message"])?.["detail"], inner?.["details"]];
  return lists.flatMap(itemsOf).flatMap((each) => {
    const said = objectOf(each);
    const text = textOf(said?.["msg"]);
    return text === undefined ? [] : [{ path: pathOf(itemsOf(said?.["loc"])), text, type: textOf(said?.["type"]) }];
  });
}

/** Names of a union's branches stand in such paths too. */
const BRANCHES: ReadonlySet<unknown> = new Set(["body", "user", "assistant", "system", "tool", "function"]);

function pathOf(steps: readonly unknown[]): string {
  let path = "";
  for (const [position, step] of steps.entries()) {
    if (typeof step === "number") path += `[${step}]`;
    else if (typeof step === "string" && !(BRANCHES.has(step) && (position === 0 || typeof steps[position - 1] === "number"))) {
      path += path === "" ? step : `.${step}`;
    }
  }
  return path;
}

/** What the provider behind a router said: JSON text in `metadata.raw`, or just text. */
function behind(inner: JsonObject | undefined): string | undefined {
  const raw = textOf(objectOf(inner?.["metadata"])?.["raw"]);
  if (raw === undefined) return undefined;
  const object = objectOf(parseJson(raw));
  return object ? (textOf(objectOf(object["error"])?.["message"]) ?? textOf(object["error"]) ?? textOf(object["message"])) : raw;
}

/** The field that a message names, in our spelling of it: "does not support parameter reasoningEffort". */
function paramIn(message: string | undefined): string | undefined {
  const name = /(?:\bparameter|\bproperty) ['"`]?([A-Za-z_]{2,40})['"`]?/.exec(message ?? "")?.[1];
  return name !== undefined && /[a-z][A-Z]|_/.test(name)
    ? name.replace(/(?<=[a-z])[A-Z]/g, (letter) => `_${letter.toLowerCase()}`)
    : undefined;
}

const WORD_CHARACTERS_MAX = 200;

/** A short text or number; codes are numbers at some. */
const wordOf = (value: unknown): string | undefined => {
  if (typeof value === "number") return String(value);
  return typeof value === "string" && value !== "" ? redact(value.slice(0, WORD_CHARACTERS_MAX)) : undefined;
};

/** "Incorrect API key provided: x": whatever stands there is a key, even one without a known shape. Accounts are nobody's business either. */
const redact = (text: string): string =>
  safeProviderMessage(text)
    .replace(/(\bapi[ _-]?key(?: id| provided)?\s*[:=]\s*)[^\s,;]+/gi, "$1[redacted]")
    .replace(/(\bteam(?: id)?\s*[:=]?\s*)[0-9a-f]{8}-[0-9a-f-]{27}/gi, "$1[redacted]");
