// The hints of the headers, given in the body's extension object instead: the same names, the same rules. A header wins.
import type { Hints, RunLimits } from "../core/exchange";
import { Failure } from "../core/failure";
import { BINDING_HINTS } from "./brand-headers";
import { joinedLimits, RUN_LIMITS, runLimitOf } from "./run-limits";
import { tagOf } from "./tag";

const NAMES = ["tag", "agent", "run", "user"] as const;

/** Throws 400 `invalid_type`, `invalid_tag`, and `unsupported_parameter` for a limit that is not kept yet. */
export function withBodyHints(hints: Hints, json: Readonly<Record<string, unknown>>, namespace: string): Hints {
  const said = json[namespace];
  if (said === undefined || said === null) return hints;
  if (typeof said !== "object" || Array.isArray(said))
    throw new Failure("invalid_type", `${namespace} takes an object.`, { param: namespace });
  const unheeded = [...hints.unheeded];
  const limits: RunLimits[] = [];
  const read: Partial<Record<(typeof NAMES)[number], string>> = {};
  for (const [field, value] of Object.entries(said)) {
    const param = `${namespace}.${field}`;
    const name = field.replaceAll("_", "-");
    if (BINDING_HINTS.some((one) => one === name)) {
      throw new Failure("unsupported_parameter", `${param} limits the call, and is not supported yet.`, { param });
    }
    const limit = RUN_LIMITS.find((one) => one === name);
    if (limit) {
      limits.push(runLimitOf(limit, textOf(value, param), param));
      continue;
    }
    const own = NAMES.find((one) => one === name);
    if (!own) {
      // A wish that nothing heeds, or a name that nobody knows: told either way.
      unheeded.push(param);
      continue;
    }
    read[own] = tagOf(value, param);
  }
  const given = Object.fromEntries(NAMES.flatMap((name) => (hints[name] === undefined ? [] : [[name, hints[name]]])));
  const runLimits = joinedLimits([...limits, ...(hints.runLimits ? [hints.runLimits] : [])]);
  return { ...hints, ...read, ...given, runLimits, unheeded };
}

/** A number's shortest text is what was written, up to fifteen digits. */
function textOf(value: unknown, param: string): string {
  if (typeof value === "string" || typeof value === "number") return String(value);
  throw new Failure("invalid_type", `${param} takes a number or a string.`, { param });
}
