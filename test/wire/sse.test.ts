import { describe, expect, test } from "bun:test";
import { createParser } from "eventsource-parser";
import fc from "fast-check";
import { Failure } from "../../src/core/failure";
import type { Frame, Framer } from "../../src/wire/frame";
import { dataSpan, openSse } from "../../src/wire/sse";
import { allRecordings, cuts, recordings, seeded, sharedMissing } from "../recordings/load";

const CAP = 1024 * 1024;
const utf8 = (text: string): Uint8Array => new TextEncoder().encode(text);

/** Feeds the pieces and ends. */
function frames(pieces: readonly Uint8Array[], framer: Framer = openSse({ maxFrameBytes: CAP })): Frame[] {
  return [...pieces.flatMap((piece) => framer.push(piece)), ...framer.end()];
}

const inBytes = (bytes: Uint8Array): Uint8Array[] => Array.from(bytes, (_, i) => bytes.subarray(i, i + 1));

function inPieces(bytes: Uint8Array, random: () => number): Uint8Array[] {
  const pieces: Uint8Array[] = [];
  for (let at = 0; at < bytes.length; ) {
    const next = at + 1 + Math.floor(random() * 400);
    pieces.push(bytes.subarray(at, next));
    at = next;
  }
  return pieces;
}

interface Said {
  data: string;
  event: string | undefined;
}

/** What the oracle, eventsource-parser, reads. */
function oracle(bytes: Uint8Array): Said[] {
  const said: Said[] = [];
  const parser = createParser({ onEvent: ({ data, event }) => said.push({ data, event: event || undefined }) });
  parser.feed(new TextDecoder("utf-8", { ignoreBOM: true }).decode(bytes));
  return said;
}

const ours = (found: readonly Frame[]): Said[] => found.flatMap(({ data, event }) => (data === undefined ? [] : [{ data, event }]));

const plain = (found: readonly Frame[]) => found.map(({ raw, data, event, id }) => ({ raw: [...raw], data, event, id }));

/** A short text that differs where two lists of frames do. */
const fingerprint = (found: readonly Frame[]): string =>
  found.map(({ raw, data, event, id }) => `${Bun.hash(raw)} ${Bun.hash(data ?? "none")} ${event} ${id}`).join("\n");

/** All raw bytes together are the input, but for an unfinished tail. */
function expectRawKept(bytes: Uint8Array, found: readonly Frame[]): void {
  const raw = Buffer.concat(found.map((frame) => frame.raw));
  expect(raw.equals(Buffer.from(bytes.subarray(0, raw.length)))).toBe(true);
  expect(frames([bytes.subarray(raw.length)])).toEqual([]);
}

describe("openSse()", () => {
  const table: [string, string, Partial<Frame>[]][] = [
    ["a line end of each kind ends a line", "data:a\ndata:b\rdata:c\r\n\n", [{ data: "a\nb\nc" }]],
    ["a byte order mark is no part of the first field", "\uFEFFdata: a\n\n\uFEFFdata: b\n\n", [{ data: "a" }, { data: undefined }]],
    ["one space after the colon is taken away, not two", "data:  a\n\ndata:b\n\n", [{ data: " a" }, { data: "b" }]],
    ["a field without a colon is empty", "data\n\n", [{ data: "" }]],
    [
      "comments and blank lines are frames without data",
      ": keep-alive\n\n\ndata: a\n\n",
      [{ data: undefined }, { data: undefined }, { data: "a" }],
    ],
    ["event and id are kept", "event: error\nid: 7\ndata: {}\n\n", [{ event: "error", id: "7", data: "{}" }]],
    ["an id with NUL is ignored", "id: a\0b\ndata: x\n\n", [{ id: undefined, data: "x" }]],
    ["unknown fields are passed over", "retry: 10\ndatax: 1\ndata: a\n\n", [{ data: "a" }]],
    ["an event without its blank line is dropped", "data: a\n\ndata: [DONE]\n", [{ data: "a" }]],
  ];
  test.each(table)("reads as the standard says: %s", (_, text, expected) => {
    const found = frames([utf8(text)]);
    expect(found.length).toBe(expected.length);
    for (const [i, frame] of found.entries()) expect(frame).toMatchObject(expected[i] ?? {});
    expectRawKept(utf8(text), found);
    expect(plain(frames(inBytes(utf8(text))))).toEqual(plain(found));
  });

  test("a stream of CRs alone waits for the byte that may belong to the line end, and the end brings the last frame", () => {
    const framer = openSse({ maxFrameBytes: CAP });
    expect(framer.push(utf8("data: a\r\r"))).toEqual([]);
    expect(framer.push(utf8("data: b\r\r")).map((frame) => frame.data)).toEqual(["a"]);
    expect(framer.end().map((frame) => frame.data)).toEqual(["b"]);
  });

  test("bad UTF-8 becomes U+FFFD and the raw bytes stay", () => {
    const bytes = new Uint8Array([...utf8("data: a"), 0xff, 0xc3, ...utf8("\n\n")]);
    const [frame] = frames([bytes]);
    expect(frame?.data).toBe("a\uFFFD\uFFFD");
    expect(frame?.raw).toEqual(bytes);
  });

  test("a frame over the cap fails with upstream_error, after the frames before it, wherever the bytes are cut", () => {
    const bytes = utf8(`data: a\n\ndata: ${"x".repeat(100)}\n\n`);
    for (let cut = 0; cut <= bytes.length; cut++) {
      const framer = openSse({ maxFrameBytes: 64 });
      const seen: Frame[] = [];
      let thrown: unknown;
      try {
        seen.push(...framer.push(bytes.subarray(0, cut)));
        seen.push(...framer.push(bytes.subarray(cut)));
        seen.push(...framer.end());
      } catch (failure) {
        thrown = failure;
      }
      expect(seen.map((frame) => frame.data)).toEqual(["a"]);
      expect(thrown).toBeInstanceOf(Failure);
      expect((thrown as Failure).code).toBe("upstream_error");
    }
  });

  test("an endless line fails at the cap, not later", () => {
    const framer = openSse({ maxFrameBytes: 1000 });
    framer.push(utf8("x".repeat(999)));
    expect(() => framer.push(utf8("xx"))).toThrow("more than 1000 bytes");
  });

  test("reads generated streams like the oracle, whole and cut anywhere", () => {
    const lineEnd = fc.constantFrom("\n", "\r", "\r\n");
    const content = fc.constantFrom(
      "data: é𝄞 x",
      "data:",
      "data",
      "data:  two",
      "event: e",
      "event",
      "id: 1",
      ": note",
      "x: y",
      "",
      "",
      "",
    );
    const line = fc.tuple(content, lineEnd).map(([text, end]) => text + end);
    const stream = fc.tuple(fc.constantFrom("", "\uFEFF"), fc.array(line, { maxLength: 20 })).map(([mark, lines]) => mark + lines.join(""));
    fc.assert(
      fc.property(stream, fc.nat(), (text, at) => {
        const bytes = utf8(text);
        const whole = frames([bytes]);
        expect(ours(whole)).toEqual(oracle(bytes));
        expectRawKept(bytes, whole);
        expect(plain(frames(inBytes(bytes)))).toEqual(plain(whole));
        const cut = at % (bytes.length + 1);
        expect(plain(frames([bytes.subarray(0, cut), bytes.subarray(cut)]))).toEqual(plain(whole));
      }),
      { numRuns: 500 },
    );
  });

  test("is linear when fed byte by byte", () => {
    const million = utf8(`data: ${"x".repeat(1_000_000)}\n\n`);
    const framer = openSse({ maxFrameBytes: 2 * CAP });
    const found: Frame[] = [];
    for (let i = 0; i < million.length; i++) found.push(...framer.push(million.subarray(i, i + 1)));
    expect(found[0]?.raw.length).toBe(million.length);
  });
});

describe("dataSpan()", () => {
  test("finds the data of a frame that has it on one line, and of no other", () => {
    const at = (text: string) => {
      const span = dataSpan(utf8(text));
      return span && text.slice(span.start, span.end);
    };
    expect(at('data: {"a":1}\n\n')).toBe('{"a":1}');
    expect(at("event: x\r\ndata:y\r\n\r\n")).toBe("y");
    expect(at("data: a\ndata: b\n\n")).toBeUndefined();
    expect(at(": data: a\n\n")).toBeUndefined();
    expect(at("database: a\n\n")).toBeUndefined();
  });
});

const streams = (found: ReturnType<typeof allRecordings>) => found.filter((recording) => recording.bodyFile.endsWith(".sse"));

describe("recorded streams", () => {
  test("are read like the oracle: our own set", () => {
    for (const recording of streams(allRecordings().filter(({ fidelity }) => fidelity === "written"))) checkRecording(recording.body);
  });

  test.skipIf(sharedMissing)("are read like the oracle: every .sse of every provider", () => {
    const found = streams(recordings());
    for (const recording of found) checkRecording(recording.body);
    expect(found.length).toBeGreaterThan(100);
  });

  test.skipIf(sharedMissing)("give the same frames wherever two of them are cut", () => {
    for (const provider of ["openai", "openrouter"]) {
      const [recording] = streams(recordings(provider, "openai-chat"));
      const bytes = recording?.body ?? new Uint8Array(0);
      const whole = fingerprint(frames([bytes]));
      for (const cut of cuts(bytes)) {
        if (fingerprint(frames([bytes.subarray(0, cut), bytes.subarray(cut)])) !== whole) throw new Error(`${recording?.id} cut at ${cut}`);
      }
      expect(whole).not.toBe("");
    }
  });
});

function checkRecording(bytes: Uint8Array): void {
  const whole = frames([bytes]);
  const expected = oracle(bytes);
  expect(ours(whole)).toEqual(expected);
  expectRawKept(bytes, whole);
  expect(ours(frames(inBytes(bytes)))).toEqual(expected);
  expect(ours(frames(inPieces(bytes, seeded(bytes.length))))).toEqual(expected);
}
