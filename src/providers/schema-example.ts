// A value that fits a JSON Schema, always the same one: what the simulator answers where a schema was asked for.
// https://json-schema.org/draft/2020-12, as far as structured outputs and tools use it. A `pattern` is not solved.

type Schema = Readonly<Record<string, unknown>>;

/** From here down only what the schema requires is made, and the plainest alternative is taken: recursive schemas end. */
const PLAIN_DEPTH = 6;
/** The most values that are made for one example: a schema that requires itself twice would double with every level. */
const MAX_VALUES = 5_000;

/** Any JSON value is taken for a schema; what is none allows everything. */
export const schemaExample = (schema: unknown): unknown => new Example(schema).of(schema, 0);

class Example {
  readonly #root: unknown;
  #values = 0;

  constructor(root: unknown) {
    this.#root = root;
  }

  of(given: unknown, depth: number): unknown {
    if (++this.#values > MAX_VALUES) return null;
    const schema = this.#resolved(given);
    if (schema["const"] !== undefined) return schema["const"];
    const choices = listOf(schema["enum"]);
    if (choices.length > 0) return choices[0];
    const alternatives = [...listOf(schema["anyOf"]), ...listOf(schema["oneOf"])];
    const chosen = depth < PLAIN_DEPTH ? alternatives[0] : this.#plainest(alternatives);
    if (chosen !== undefined) return this.of(chosen, depth + 1);
    switch (typeOf(schema)) {
      case "object":
        return this.#object(schema, depth);
      case "array":
        return this.#array(schema, depth);
      case "integer":
        return numberFor(schema, 1);
      case "number":
        return numberFor(schema, undefined);
      case "boolean":
        return true;
      case "null":
        return null;
      default:
        return textFor(schema);
    }
  }

  #object(schema: Schema, depth: number): object {
    const properties = Object.entries(objectOf(schema["properties"]));
    const required = new Set(listOf(schema["required"]));
    const made = depth < PLAIN_DEPTH ? properties : properties.filter(([name]) => required.has(name));
    return Object.fromEntries(made.map(([name, inner]) => [name, this.of(inner, depth + 1)]));
  }

  #array(schema: Schema, depth: number): unknown[] {
    const least = numberOf(schema["minItems"]) ?? (depth < PLAIN_DEPTH ? 1 : 0);
    const most = numberOf(schema["maxItems"]) ?? MAX_VALUES;
    const length = Math.min(Math.max(least, 0), most);
    const first = listOf(schema["prefixItems"]);
    const items: unknown[] = [];
    while (items.length < length && this.#values < MAX_VALUES) items.push(this.of(first[items.length] ?? schema["items"], depth + 1));
    return items;
  }

  /** References followed (a ring of them allows everything), and `allOf` folded into one. */
  #resolved(given: unknown): Schema {
    let schema = objectOf(given);
    for (let steps = 0; typeof schema["$ref"] === "string"; steps++) {
      if (steps > PLAIN_DEPTH) return {};
      const { $ref, ...beside } = schema;
      schema = { ...objectOf(this.#at(String($ref))), ...beside };
    }
    const parts = listOf(schema["allOf"]);
    if (parts.length === 0) return schema;
    const { allOf: _, ...own } = schema;
    return parts.reduce<Schema>(
      (whole, part) => folded(whole, objectOf(part)["$ref"] === undefined ? objectOf(part) : this.#part(part)),
      own,
    );
  }

  /** One `allOf` part behind a reference, without its own `allOf`: a schema cannot fold itself for ever. */
  #part(part: unknown): Schema {
    const { allOf: _, ...rest } = objectOf(this.#at(String(objectOf(part)["$ref"])));
    return rest;
  }

  /** A JSON pointer of this document: "#", "#/$defs/node". */
  #at(reference: string): unknown {
    let value: unknown = reference.startsWith("#") ? this.#root : undefined;
    for (const step of reference.split("/").slice(1)) {
      value = objectOf(value)[step.replaceAll("~1", "/").replaceAll("~0", "~")];
    }
    return value;
  }

  #plainest(alternatives: readonly unknown[]): unknown {
    const weight = (alternative: unknown): number => {
      const schema = this.#resolved(alternative);
      const type = typeOf(schema);
      return schema["const"] !== undefined || schema["enum"] !== undefined ? 0 : type === "object" ? 2 : type === "array" ? 1 : 0;
    };
    return alternatives.toSorted((a, b) => weight(a) - weight(b))[0];
  }
}

const objectOf = (value: unknown): Schema =>
  typeof value === "object" && value !== null && !Array.isArray(value) ? (value as Schema) : {};
const listOf = (value: unknown): readonly unknown[] => (Array.isArray(value) ? value : []);
const numberOf = (value: unknown): number | undefined => (typeof value === "number" ? value : undefined);

function typeOf(schema: Schema): unknown {
  const { type } = schema;
  if (Array.isArray(type)) return type[0];
  return type ?? (schema["properties"] === undefined ? (schema["items"] === undefined ? "string" : "array") : "object");
}

function folded(whole: Schema, part: Schema): Schema {
  return {
    ...whole,
    ...part,
    properties: { ...objectOf(whole["properties"]), ...objectOf(part["properties"]) },
    required: [...listOf(whole["required"]), ...listOf(part["required"])],
  };
}

/** The number nearest to 1 that the limits leave, on the grid of `multipleOf` where there is one. */
function numberFor(schema: Schema, grid: number | undefined): number {
  const multiple = numberOf(schema["multipleOf"]);
  const step = multiple !== undefined && multiple > 0 ? multiple : grid;
  const above = numberOf(schema["exclusiveMinimum"]);
  const below = numberOf(schema["exclusiveMaximum"]);
  const least = numberOf(schema["minimum"]) ?? Number.NEGATIVE_INFINITY;
  const most = numberOf(schema["maximum"]) ?? Number.POSITIVE_INFINITY;
  const near = Math.min(Math.max(1, least, above ?? least), most, below ?? most);
  if (step === undefined) {
    if (near === above)
      return below === undefined && most === Number.POSITIVE_INFINITY ? near + 1 : (near + Math.min(below ?? most, most)) / 2;
    if (near === below)
      return least === Number.NEGATIVE_INFINITY && above === undefined ? near - 1 : (near + Math.max(above ?? least, least)) / 2;
    return near;
  }
  const up = Math.ceil(near / step) * step;
  const value = up === above ? up + step : up;
  if (value <= most && (below === undefined || value < below)) return value;
  const down = Math.floor(near / step) * step;
  return down === below ? down - step : down;
}

const FORMATS: Readonly<Record<string, string>> = {
  "date-time": "2026-01-01T00:00:00Z",
  date: "2026-01-01",
  time: "00:00:00Z",
  duration: "PT1S",
  email: "simulated@example.com",
  hostname: "example.com",
  ipv4: "192.0.2.1",
  ipv6: "2001:db8::1",
  uri: "https://example.com/",
  uuid: "00000000-0000-4000-8000-000000000000",
};

function textFor(schema: Schema): string {
  const format = schema["format"];
  const fixed = typeof format === "string" ? FORMATS[format] : undefined;
  if (fixed !== undefined) return fixed;
  const least = Math.min(numberOf(schema["minLength"]) ?? 0, MAX_VALUES);
  return "simulated".padEnd(least, ".").slice(0, numberOf(schema["maxLength"]) ?? undefined);
}
