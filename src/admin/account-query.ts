// The words of account routes' queries, read once: times, limits, filters. What is not understood is refused by name.
import { Failure } from "../core/failure";
import { timeOf } from "./time-text";

export const MAX_PAGE = 1000;

export interface TimeWindow {
  /** Unix milliseconds, inclusive. */
  readonly from: number | undefined;
  /** Unix milliseconds, exclusive. */
  readonly to: number | undefined;
}

export function readWindow(query: URLSearchParams): TimeWindow {
  const from = readTime(query, "from");
  const to = readTime(query, "to");
  if (from !== undefined && to !== undefined && from >= to)
    throw new Failure("invalid_value", "from must be before to.", { param: "from" });
  return { from, to };
}

function readTime(query: URLSearchParams, name: string): number | undefined {
  const text = query.get(name);
  if (text === null) return undefined;
  const at = timeOf(text);
  if (at === undefined)
    throw new Failure("invalid_value", `${name} takes a time such as 2026-11-01 or 2026-11-01T00:00:00Z, or Unix seconds.`, {
      param: name,
    });
  return at;
}

export function readLimit(text: string | null, otherwise: number, most = MAX_PAGE): number {
  if (text === null) return otherwise;
  const limit = /^\d{1,4}$/.test(text) ? Number(text) : 0;
  if (limit < 1 || limit > most) throw new Failure("invalid_value", `limit takes 1 to ${most}.`, { param: "limit" });
  return limit;
}

const MAX_VALUES = 100;
const MAX_VALUE_CHARACTERS = 256;

/** `name=a&name=b`, or `name[]=a&name[]=b` as OpenAI's clients write lists. undefined: it is not asked for. */
export function readValues(query: URLSearchParams, name: string): readonly string[] | undefined {
  const values = [...query.getAll(name), ...query.getAll(`${name}[]`)];
  if (values.length === 0) return undefined;
  if (values.length > MAX_VALUES) throw new Failure("invalid_value", `${name} takes at most ${MAX_VALUES} values.`, { param: name });
  const long = values.find((value) => value.length > MAX_VALUE_CHARACTERS);
  if (long !== undefined)
    throw new Failure("invalid_value", `${name} takes values of at most ${MAX_VALUE_CHARACTERS} characters.`, { param: name });
  return values;
}

const COMPARISONS = ["gt", "gte", "lt", "lte"];

/**
 * A filter that nobody heeds would show more than was asked for: it is refused by its name. `lists` may stand several times, as `name` or
 * `name[]`; `compared` are written `name[gt]`, `name[gte]`, `name[lt]`, `name[lte]`; all others stand once and bare.
 */
export function refuseOthers(
  query: URLSearchParams,
  once: readonly string[],
  lists: readonly string[] = [],
  compared: readonly string[] = [],
): void {
  const known = [...once, ...lists, ...compared];
  for (const written of query.keys()) {
    const name = /^([^[\]]+)\[.*$/.exec(written)?.[1] ?? written;
    const shown = name.slice(0, 64);
    if (!known.includes(name)) {
      const takes = known.length === 0 ? "no parameters" : known.join(", ");
      throw new Failure("unsupported_parameter", `This route knows no ${JSON.stringify(shown)}. It takes ${takes}.`, { param: shown });
    }
    const forms = formsOf(name, lists, compared);
    if (!forms.includes(written)) {
      const says = `${JSON.stringify(written.slice(0, 64))} is not understood: it is written ${forms.join(" or ")}.`;
      throw new Failure("unsupported_parameter", says, { param: shown });
    }
    if (!lists.includes(name) && query.getAll(written).length > 1)
      throw new Failure("invalid_value", `${written} stands more than once.`, { param: shown });
  }
}

function formsOf(name: string, lists: readonly string[], compared: readonly string[]): readonly string[] {
  if (lists.includes(name)) return [name, `${name}[]`];
  return compared.includes(name) ? COMPARISONS.map((word) => `${name}[${word}]`) : [name];
}

export function readChoice<T extends string>(query: URLSearchParams, name: string, choices: readonly T[], otherwise: T): T {
  const text = query.get(name);
  const found = choices.find((choice) => choice === (text ?? otherwise));
  if (found === undefined) throw new Failure("invalid_value", `${name} takes one of ${choices.join(", ")}.`, { param: name });
  return found;
}
