import { describe, expect, test } from "bun:test";
import { Failure } from "../../src/core/failure";
import { readBody } from "../../src/wire/body-limit";

const utf8 = (text: string): Uint8Array => new TextEncoder().encode(text);
const quiet = new AbortController().signal;

function body(pieces: readonly string[], told?: { cancelled?: unknown }): ReadableStream<Uint8Array> {
  let next = 0;
  return new ReadableStream({
    pull(controller) {
      const piece = pieces[next++];
      if (piece === undefined) controller.close();
      else controller.enqueue(utf8(piece));
    },
    cancel(reason) {
      if (told) told.cancelled = reason;
    },
  });
}

describe("readBody()", () => {
  test("gives all bytes, in however many pieces they come", async () => {
    const text = async (pieces: string[]) => new TextDecoder().decode(await readBody(body(pieces), 100, quiet));
    expect(await text([])).toBe("");
    expect(await text(["abc"])).toBe("abc");
    expect(await text(["a", "", "bc", "d"])).toBe("abcd");
    expect(await readBody(undefined, 100, quiet)).toEqual(new Uint8Array(0));
  });

  test("reads up to the limit and refuses one byte more with 413, cancelling the stream", async () => {
    expect((await readBody(body(["aa", "bb"]), 4, quiet)).length).toBe(4);
    const told: { cancelled?: unknown } = {};
    const failure = await readBody(body(["aa", "bb", "c", "d"], told), 4, quiet).catch((thrown) => thrown);
    expect(failure).toBeInstanceOf(Failure);
    expect(failure.code).toBe("request_too_large");
    expect(failure.row.status).toBe(413);
    expect(told.cancelled).toBe(failure);
  });

  test("ends with the signal's reason, even while nothing arrives", async () => {
    const controller = new AbortController();
    const told: { cancelled?: unknown } = {};
    const silent = new ReadableStream<Uint8Array>({
      cancel(reason) {
        told.cancelled = reason;
      },
    });
    const reading = readBody(silent, 100, controller.signal);
    const reason = new Error("gone");
    controller.abort(reason);
    expect(await reading.catch((thrown) => thrown)).toBe(reason);
    expect(told.cancelled).toBe(reason);
    expect(await readBody(body(["a"]), 100, controller.signal).catch((thrown) => thrown)).toBe(reason);
  });

  test("passes on the fault of a stream that breaks", async () => {
    const fault = new Error("reset");
    const broken = new ReadableStream<Uint8Array>({
      start(controller) {
        controller.error(fault);
      },
    });
    expect(await readBody(broken, 100, quiet).catch((thrown) => thrown)).toBe(fault);
  });
});
