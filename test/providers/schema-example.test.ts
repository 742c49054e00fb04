import { describe, expect, test } from "bun:test";
import Ajv2020 from "ajv/dist/2020";
import fc from "fast-check";
import { schemaExample } from "../../src/providers/schema-example";

const object = (properties: object, more: object = {}): object => ({
  type: "object",
  properties,
  required: Object.keys(properties),
  additionalProperties: false,
  ...more,
});

const NODE = object({
  value: { type: "integer" },
  next: { anyOf: [{ $ref: "#/$defs/node" }, { type: "null" }] },
});

const SCHEMAS: readonly [string, object][] = [
  ["a text", { type: "string" }],
  ["anything", {}],
  ["a flat object", object({ name: { type: "string" }, age: { type: "integer" }, ok: { type: "boolean" }, nothing: { type: "null" } })],
  ["an object in an object in an object", object({ a: object({ b: object({ c: { type: "number" } }) }) })],
  ["optional fields", { type: "object", properties: { a: { type: "string" }, b: { type: "number" } }, required: ["a"] }],
  ["a list", { type: "array", items: { type: "string" } }],
  ["a list of at least twelve", { type: "array", items: { type: "integer" }, minItems: 12, maxItems: 12 }],
  ["an empty list", { type: "array", items: { type: "integer" }, maxItems: 0 }],
  ["a tuple", { type: "array", prefixItems: [{ type: "string" }, { type: "boolean" }], minItems: 2, items: false }],
  ["a choice", { enum: ["red", "green"] }],
  ["a choice that begins with false", { enum: [false, 0, ""] }],
  ["a constant", { const: { deep: [1, 2] } }],
  ["a constant of nothing", object({ kind: { const: 0 } })],
  ["one of several types", { type: ["integer", "null"] }],
  ["anyOf", { anyOf: [object({ a: { type: "string" } }), { type: "string" }] }],
  ["oneOf", { oneOf: [{ type: "integer" }, { type: "string" }] }],
  [
    "allOf",
    {
      type: "object",
      allOf: [
        { properties: { a: { type: "integer" } }, required: ["a"] },
        { properties: { b: { type: "string" } }, required: ["b"] },
      ],
    },
  ],
  [
    "allOf of references",
    { $defs: { a: { type: "object", properties: { x: { type: "integer" } }, required: ["x"] } }, allOf: [{ $ref: "#/$defs/a" }] },
  ],
  ["a number above a limit", { type: "number", exclusiveMinimum: 7 }],
  ["a number below a limit", { type: "number", exclusiveMaximum: 0 }],
  ["a number between limits", { type: "number", exclusiveMinimum: 0, exclusiveMaximum: 0.5 }],
  ["a number that is at most 0", { type: "number", maximum: 0 }],
  ["an integer between limits", { type: "integer", minimum: 10, maximum: 10 }],
  ["an integer below 0", { type: "integer", exclusiveMaximum: 0 }],
  ["an integer above 3", { type: "integer", exclusiveMinimum: 3 }],
  ["a multiple", { type: "integer", multipleOf: 5, minimum: 12 }],
  ["a multiple below a limit", { type: "integer", multipleOf: 5, maximum: 12, minimum: 9 }],
  ["a long text", { type: "string", minLength: 40 }],
  ["a short text", { type: "string", maxLength: 3 }],
  ["a definition", { $ref: "#/$defs/point", $defs: { point: object({ x: { type: "number" } }) } }],
  ["a definition with a slash in its name", { $ref: "#/$defs/a~1b", $defs: { "a/b": { type: "boolean" } } }],
  ["a linked list", { ...object({ head: { $ref: "#/$defs/node" } }), $defs: { node: NODE } }],
  ["a tree", { ...object({ name: { type: "string" }, children: { type: "array", items: { $ref: "#" } } }) }],
  [
    "an expression of two sides",
    {
      $ref: "#/$defs/e",
      $defs: { e: { anyOf: [object({ left: { $ref: "#/$defs/e" }, right: { $ref: "#/$defs/e" } }), { type: "integer" }] } },
    },
  ],
];

const FORMATS: Readonly<Record<string, RegExp>> = {
  "date-time": /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}Z$/,
  date: /^\d{4}-\d{2}-\d{2}$/,
  time: /^\d{2}:\d{2}:\d{2}Z$/,
  duration: /^P/,
  email: /^[^@]+@[^@]+\.[a-z]+$/,
  hostname: /^[a-z.]+$/,
  ipv4: /^(\d+\.){3}\d+$/,
  ipv6: /^[0-9a-f:]+$/,
  uuid: /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/,
};

const validator = (schema: object) => new Ajv2020({ strict: false, validateFormats: false }).compile(schema);

describe("schemaExample()", () => {
  test.each(SCHEMAS)("fits %s", (_, schema) => {
    const value = JSON.parse(JSON.stringify(schemaExample(schema))) as unknown;
    const validate = validator(schema);
    expect({ valid: validate(value), errors: validate.errors, value }).toMatchObject({ valid: true });
  });

  test.each(SCHEMAS)("is the same every time for %s", (_, schema) => {
    expect(schemaExample(schema)).toEqual(schemaExample(structuredClone(schema)));
  });

  test.each(Object.entries(FORMATS))("a text of the format %s looks like one", (format, shape) => {
    expect(schemaExample({ type: "string", format })).toMatch(shape);
  });

  test("shows optional fields, so that a reader meets them", () => {
    expect(schemaExample({ type: "object", properties: { a: { type: "string" }, b: { type: "integer" } } })).toEqual({
      a: "simulated",
      b: 1,
    });
  });

  test("ends for a schema that requires itself without end, and stays small for one that doubles", () => {
    const ring = { type: "object", properties: { a: { $ref: "#" }, b: { $ref: "#" } }, required: ["a", "b"] };
    const wide = { type: "object", properties: Object.fromEntries(Array.from({ length: 40 }, (_, n) => [`p${n}`, { $ref: "#" }])) };
    const rings = [
      ring,
      wide,
      { $ref: "#" },
      { anyOf: [{ $ref: "#" }] },
      { allOf: [{ $ref: "#" }] },
      { type: "array", items: { $ref: "#" }, minItems: 1e9 },
    ];
    for (const schema of rings) expect((JSON.stringify(schemaExample(schema)) ?? "").length).toBeLessThan(1_000_000);
  });

  test("never throws, whatever stands where a schema should", () => {
    fc.assert(
      fc.property(fc.jsonValue(), (given) => {
        schemaExample(given);
        schemaExample({ type: "object", properties: { a: given }, required: given, items: given, enum: given, anyOf: given, allOf: given });
        schemaExample({ $ref: given, minItems: given, multipleOf: given, format: given, type: given });
      }),
    );
  });
});
