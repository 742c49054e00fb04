import { expect, test } from "bun:test";
import fc from "fast-check";
import { isEnvelope, openSeal, type Seal, sealOf } from "../../src/dialects/sealed-envelope";

test("openSeal() gives back what sealOf() was given", () => {
  const text = fc.string({ unit: "grapheme" });
  const seal = fc.record(
    { from: fc.constantFrom("gemini", "openai-responses", "openai-chat"), signature: text, data: text, id: text, text, call: text },
    { requiredKeys: ["from"] },
  );
  fc.assert(fc.property(seal, (each) => expect(openSeal(sealOf(each as Seal))).toEqual(each as Seal)));
});

test("an envelope is plain ASCII, so that it fits headers, ids and JSON as it is", () => {
  expect(sealOf({ from: "gemini", text: 'é 漢 \u0000 "' })).toMatch(/^tw1\.[A-Za-z0-9_-]+$/);
});

test("openSeal() opens nothing else", () => {
  for (const other of ["", "ErUBCkYIBxgCIkA=", "tw1.", "tw1.AAAA", `tw1.${btoa("[]")}`, sealOf({ from: "no-dialect" as "gemini" })])
    expect(openSeal(other)).toBeUndefined();
  expect(isEnvelope("tw1.AAAA")).toBe(true);
  expect(isEnvelope("ErUBCkYIBxgCIkA=")).toBe(false);
});
