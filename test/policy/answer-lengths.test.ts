import { describe, expect, test } from "bun:test";
import { LengthBook } from "../../src/policy/answer-lengths";

describe("lengths of answers", () => {
  test("say nothing before thirty were seen", () => {
    const book = new LengthBook();
    for (let n = 0; n < 29; n++) book.saw("p", "m", 100, false);
    expect(book.long("p", "m")).toBeUndefined();
    book.saw("p", "m", 100, false);
    expect(book.long("p", "m")).toBeGreaterThanOrEqual(100);
    expect(book.long("p", "other")).toBeUndefined();
  });

  test("are known to a twelfth, and one in a thousand is not looked at", () => {
    const book = new LengthBook();
    for (let n = 0; n < 9_995; n++) book.saw("p", "m", 1 + (n % 500), false);
    for (let n = 0; n < 5; n++) book.saw("p", "m", 90_000, false);
    const long = book.long("p", "m") ?? 0;
    expect(long).toBeGreaterThanOrEqual(499);
    expect(long).toBeLessThan(500 * 1.1);
    for (let n = 0; n < 30; n++) book.saw("p", "m", 90_000, false);
    expect(book.long("p", "m")).toBeGreaterThanOrEqual(90_000);
  });

  test("that a limit cut are taken for longer, so that the limit grows", () => {
    const book = new LengthBook();
    for (let n = 0; n < 30; n++) book.saw("p", "m", 1_000, true);
    expect(book.long("p", "m")).toBeGreaterThanOrEqual(2_000);
  });

  test("fade: what was long once is forgotten by and by", () => {
    const book = new LengthBook();
    for (let n = 0; n < 100; n++) book.saw("p", "m", 50_000, false);
    for (let n = 0; n < 400_000; n++) book.saw("p", "m", 100, false);
    expect(book.long("p", "m")).toBeLessThan(200);
  });

  test("of the model that was seen first are forgotten when there are too many", () => {
    const book = new LengthBook(2);
    for (const model of ["a", "b", "c"]) for (let n = 0; n < 30; n++) book.saw("p", model, 100, false);
    expect([book.long("p", "a"), book.long("p", "b") !== undefined, book.long("p", "c") !== undefined]).toEqual([undefined, true, true]);
  });
});
