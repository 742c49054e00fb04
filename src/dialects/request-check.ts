// Checks a caller's JSON against a schema and says what is wrong in OpenAI's words, with the field's path in `param`.
import type { z } from "zod";
import { Failure, type FailureCode } from "../core/failure";

type Path = readonly PropertyKey[];

/** The value as the schema describes it. `at` is the path of the value itself ("messages[2]"; "" for the body). Throws `Failure`. */
export function check<T>(schema: z.ZodType<T>, value: unknown, at = ""): T {
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  throw failureOf(result.error, value, at);
}

function failureOf(error: z.ZodError, value: unknown, at: string): Failure {
  const issue = deepest(error.issues, []);
  if (!issue) return new Failure("invalid_value", "The request is not valid");
  const param = pathText(issue.path, at);
  const { code, says } = explain(issue.issue, valueAt(value, issue.path), param || "body");
  return new Failure(code, says, { param: param || undefined });
}

interface Found {
  issue: z.core.$ZodIssue;
  path: Path;
}

/** The first issue; of a union's branches the one that went deepest, which is the one the caller meant. */
function deepest(issues: readonly z.core.$ZodIssue[], above: Path): Found | undefined {
  const [issue] = issues;
  if (!issue) return undefined;
  const path = [...above, ...issue.path];
  if (issue.code !== "invalid_union") return { issue, path };
  let best: Found = { issue, path };
  for (const branch of issue.errors) {
    const found = deepest(branch, path);
    if (found && found.path.length > best.path.length) best = found;
  }
  return best;
}

function explain(issue: z.core.$ZodIssue, value: unknown, param: string): { code: FailureCode; says: string } {
  if (value === undefined) return { code: "missing_required_parameter", says: `Missing required parameter: '${param}'.` };
  switch (issue.code) {
    case "invalid_type":
      return { code: "invalid_type", says: `Invalid type for '${param}': expected ${issue.expected}, but got ${typeName(value)}.` };
    case "invalid_union":
      return { code: "invalid_type", says: `Invalid type for '${param}': ${typeName(value)} is not accepted here.` };
    case "invalid_value":
      return {
        code: "invalid_value",
        says: `Invalid value for '${param}': expected ${issue.values.map((each) => `'${String(each)}'`).join(", ")}.`,
      };
    case "too_small":
      return { code: "invalid_value", says: `Invalid value for '${param}': expected at least ${issue.minimum}.` };
    case "too_big":
      return { code: "invalid_value", says: `Invalid value for '${param}': expected at most ${issue.maximum}.` };
    case "invalid_format":
    case "not_multiple_of":
    case "unrecognized_keys":
    case "invalid_key":
    case "invalid_element":
    case "custom":
      return { code: "invalid_value", says: `Invalid value for '${param}'.` };
  }
}

const typeName = (value: unknown): string => (value === null ? "null" : Array.isArray(value) ? "array" : typeof value);

function valueAt(value: unknown, path: Path): unknown {
  let current = value;
  for (const step of path) {
    if (typeof current !== "object" || current === null) return undefined;
    current = (current as Record<PropertyKey, unknown>)[step];
  }
  return current;
}

/** `["messages", 2, "content"]` → "messages[2].content". */
function pathText(path: Path, at: string): string {
  let text = at;
  for (const step of path) text += typeof step === "number" ? `[${step}]` : `${text === "" ? "" : "."}${String(step)}`;
  return text;
}
