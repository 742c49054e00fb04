// Reading what administrators send: every fault names its field, and a field that is not known is refused rather than passed over.
import { ExactNumber, plainDecimal } from "../core/exact-number";
import { Failure, type FailureCode } from "../core/failure";
import { type NanoUsd, nanoUsd, parseUsd, usdText } from "../core/money";
import { isoTime } from "./time-text";

/** More than anyone sets, and far from where 64 bits end. */
const MOST_USD = nanoUsd(1_000_000_000_000_000_000n);
const NAME_CHARACTERS_MAX = 128;
/** What headers and bodies of calls may name a user, an agent or a run. */
const TAG = /^[A-Za-z0-9_.:-]{1,64}$/;

export class Fields {
  readonly #values: Readonly<Record<string, unknown>>;
  /** "" at the top, else what stands before the dot: "budgets[0]". */
  readonly at: string;

  constructor(values: Readonly<Record<string, unknown>>, at: string) {
    this.#values = values;
    this.at = at;
  }

  /** The field as callers write it. */
  param(name: string): string {
    return this.at === "" ? name : `${this.at}.${name}`;
  }

  /** Throws a failure that begins with the field and names it. */
  fail(name: string, says: string, code: FailureCode = "invalid_value"): never {
    throw new Failure(code, `${this.param(name)} ${says}`, { param: this.param(name) });
  }

  has(name: string): boolean {
    return this.#values[name] !== undefined;
  }

  isNull(name: string): boolean {
    return this.#values[name] === null;
  }

  value(name: string): unknown {
    return this.#values[name];
  }

  names(): string[] {
    return Object.keys(this.#values);
  }

  /** undefined: it is not there, or null. */
  text(name: string): string | undefined {
    const value = this.#values[name];
    if (value === undefined || value === null) return undefined;
    return typeof value === "string" ? value : this.fail(name, "takes a string.", "invalid_type");
  }

  /** A text that must be there. */
  needed(name: string, noun: string): string {
    const text = this.text(name);
    if (text === undefined)
      throw new Failure("missing_required_parameter", `${noun} needs ${this.param(name)}.`, { param: this.param(name) });
    return text;
  }

  /** A name for people: trimmed, 1 to 128 characters, none of them a control character. undefined: it is not there. */
  name(name = "name"): string | undefined {
    if (this.isNull(name)) return this.fail(name, "takes a string.", "invalid_type");
    const given = this.text(name);
    const text = given === undefined ? undefined : nameText(given);
    if (text === undefined) return undefined;
    if (text === "" || text.length > NAME_CHARACTERS_MAX) return this.fail(name, `takes 1 to ${NAME_CHARACTERS_MAX} characters.`);
    return /\p{Cc}/u.test(text) ? this.fail(name, "takes no control characters.") : text;
  }

  neededName(noun: string): string {
    return this.name() ?? this.needed("name", noun);
  }

  /** A name that calls carry in headers. */
  tag(name: string): string | undefined {
    const text = this.text(name);
    if (text === undefined || TAG.test(text)) return text;
    return this.fail(name, "takes 1 to 64 characters of A-Z a-z 0-9 _ . : -");
  }

  choice<T extends string>(name: string, choices: readonly T[]): T | undefined {
    const value = this.#values[name];
    if (value === undefined) return undefined;
    const found = choices.find((choice) => choice === value);
    return found ?? this.fail(name, `takes ${choices.map((choice) => JSON.stringify(choice)).join(" or ")}.`);
  }

  flag(name: string): boolean | undefined {
    const value = this.#values[name];
    if (value === undefined || typeof value === "boolean") return value;
    return this.fail(name, "takes true or false.", "invalid_type");
  }

  /** undefined: it is not there, or null. */
  whole(name: string, least: number, most: number): number | undefined {
    const value = this.#values[name];
    if (value === undefined || value === null) return undefined;
    if (typeof value !== "number") return this.fail(name, `takes a whole number from ${least} to ${most}.`, "invalid_type");
    if (!Number.isInteger(value) || value < least || value > most) return this.fail(name, `takes a whole number from ${least} to ${most}.`);
    return value;
  }

  /** An amount in USD: a JSON number or a decimal string. `signed`: it may be below zero. undefined: it is not there. */
  usd(name: string, signed = false): NanoUsd | undefined {
    const value = this.#values[name];
    if (value === undefined) return undefined;
    const text = decimalOf(value);
    if (text === undefined) return this.fail(name, `takes ${USD_FORM}.`, isNumeric(value) ? "invalid_value" : "invalid_type");
    const below = text.startsWith("-");
    const amount = parseUsd(below ? text.slice(1) : text);
    if (amount === undefined) return this.fail(name, `takes ${USD_FORM}, with nine decimals at most.`);
    if (below && !signed && amount !== 0n) return this.fail(name, "must not be below zero.");
    if (amount > MOST_USD) return this.fail(name, `takes at most ${usdText(MOST_USD)} USD.`);
    return below ? nanoUsd(-amount) : amount;
  }

  /** A share with two decimals at most, in hundredths of a per cent. */
  basisPoints(name: string, mostPercent: number): number | undefined {
    const value = this.#values[name];
    if (value === undefined) return undefined;
    const match = /^(\d{1,6})(?:\.(\d{1,2}))?$/.exec(decimalOf(value) ?? "");
    const points = match ? Number(match[1]) * 100 + Number((match[2] ?? "").padEnd(2, "0")) : Number.NaN;
    if (Number.isNaN(points) || points > mostPercent * 100)
      return this.fail(name, `takes 0 to ${mostPercent}, with two decimals at most, such as 20 or 12.5.`);
    return points;
  }

  /** Unix milliseconds, later than `now`. undefined: it is not there, or null. */
  laterTime(name: string, now: number): number | undefined {
    const value = this.#values[name];
    if (value === undefined || value === null) return undefined;
    const at = typeof value === "string" ? isoTime(value) : undefined;
    if (at === undefined) return this.fail(name, "takes a time such as 2027-01-31T00:00:00Z.");
    return at > now ? at : this.fail(name, "is in the past.");
  }

  /** undefined: it is not there, or null. */
  list(name: string, most: number): readonly unknown[] | undefined {
    const value = this.#values[name];
    if (value === undefined || value === null) return undefined;
    if (!Array.isArray(value)) return this.fail(name, "takes a list.", "invalid_type");
    return value.length > most ? this.fail(name, `takes at most ${most} entries.`) : value;
  }

  /** A list of texts, each once. undefined: it is not there, or null. */
  texts(name: string, most: number): readonly string[] | undefined {
    return this.list(name, most)?.map((entry, i, all) => {
      if (typeof entry !== "string") return this.fail(`${name}[${i}]`, "takes a string.", "invalid_type");
      return all.indexOf(entry) < i ? this.fail(`${name}[${i}]`, "is there already.") : entry;
    });
  }

  /** The objects of a list, each with its place: "budgets[0]". */
  objects(name: string, known: readonly string[], most: number, noun: string): readonly Fields[] {
    return (this.list(name, most) ?? []).map((entry, i) => fieldsOf(entry, known, noun, `${this.param(name)}[${i}]`));
  }
}

const USD_FORM = 'an amount in USD: a number, or its digits as a string, such as "25" or "0.005"';

const isNumeric = (value: unknown): boolean => typeof value === "string" || typeof value === "number" || value instanceof ExactNumber;

/** The digits of a number or of a string; undefined for anything else. */
function decimalOf(value: unknown): string | undefined {
  if (value instanceof ExactNumber) return plainDecimal(value.text);
  if (typeof value === "number") return plainDecimal(String(value));
  return typeof value === "string" && /^-?\d{1,40}(\.\d{1,60})?$/.test(value) ? value : undefined;
}

/** The body's fields. Throws where it is no object, or holds a field that is not `known`. `noun`: "Keys". */
export function fieldsOf(value: unknown, known: readonly string[], noun: string, at = ""): Fields {
  if (typeof value !== "object" || value === null || Array.isArray(value) || value instanceof ExactNumber) {
    if (at === "") throw new Failure("invalid_type", "The body must be a JSON object.");
    throw new Failure("invalid_type", `${at} takes an object.`, { param: at });
  }
  const fields = new Fields(value as Record<string, unknown>, at);
  for (const name of fields.names()) {
    if (!known.includes(name))
      throw new Failure("unsupported_parameter", `${noun} have no "${name.slice(0, 64)}".`, { param: fields.param(name.slice(0, 64)) });
  }
  return fields;
}

/** A name as it is stored: whoever looks one up must ask for this form of it. */
export const nameText = (text: string): string => text.trim().normalize("NFC");

/** What came, short enough to be told back. */
export const quoted = (text: string): string => JSON.stringify(text.slice(0, 64));

export const notFound = (what: string, id: string, param: string): Failure =>
  new Failure("not_found", `There is no ${what} ${quoted(id)}.`, { param });
