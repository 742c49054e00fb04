// Reads HTTP/1.1 requests from a socket (RFC 9112), keeping everything as it came: tests look for what a client really sent.
import type { Socket } from "node:net";

const MAX_HEAD_BYTES = 1 << 20;

/** A request's line and headers. */
export interface Head {
  method: string;
  /** With the query, as sent. */
  path: string;
  /** Names as sent, in order, duplicates kept. */
  headerLines: readonly (readonly [string, string])[];
  /** Lower-case names; duplicates joined with ", ". */
  headers: Readonly<Record<string, string>>;
  /** The head's bytes as latin1 text. */
  raw: string;
}

/** The client closed its side before what was awaited had arrived. */
export class ClientEnded extends Error {}

/** Bytes of a socket, taken in the sizes that a parser wants. */
export class RequestReader {
  #buffered: Uint8Array = new Uint8Array(0);
  #ended = false;
  #wake: () => void = () => undefined;

  constructor(socket: Socket) {
    socket.on("data", (data) => {
      const bytes = typeof data === "string" ? Buffer.from(data, "latin1") : data;
      this.#buffered = this.#buffered.length === 0 ? bytes : Buffer.concat([this.#buffered, bytes]);
      this.#wake();
    });
    const ended = () => {
      this.#ended = true;
      this.#wake();
    };
    socket.on("end", ended);
    socket.on("close", ended);
  }

  /** The next request's head; undefined when the client closed between requests. Throws `ClientEnded` in the middle of one. */
  async head(): Promise<Head | undefined> {
    while (this.#buffered.length === 0) {
      if (this.#ended) return undefined;
      await this.#more();
    }
    const raw = await this.#until("\r\n\r\n");
    return parseHead(raw);
  }

  /** The body that belongs to `head`, decoded from chunks. */
  async body(head: Head): Promise<Uint8Array> {
    if (/\bchunked\b/i.test(head.headers["transfer-encoding"] ?? "")) return this.#chunked();
    return this.#exactly(Number(head.headers["content-length"] ?? 0));
  }

  async #chunked(): Promise<Uint8Array> {
    const parts: Uint8Array[] = [];
    for (;;) {
      const size = Number.parseInt(await this.#until("\r\n"), 16);
      if (Number.isNaN(size)) throw new Error("the client sent a chunk size that is no number");
      if (size === 0) break;
      parts.push(await this.#exactly(size));
      await this.#exactly(2);
    }
    while ((await this.#until("\r\n")) !== "\r\n");
    return Buffer.concat(parts);
  }

  async #until(marker: string): Promise<string> {
    const wanted = Buffer.from(marker, "latin1");
    for (;;) {
      const at = Buffer.from(this.#buffered.buffer, this.#buffered.byteOffset, this.#buffered.length).indexOf(wanted);
      if (at >= 0) return Buffer.from(this.#take(at + wanted.length)).toString("latin1");
      if (this.#buffered.length > MAX_HEAD_BYTES) throw new Error("the client sent a head without an end");
      await this.#moreOrThrow();
    }
  }

  async #exactly(size: number): Promise<Uint8Array> {
    const parts: Uint8Array[] = [];
    let missing = size;
    for (;;) {
      const part = this.#take(Math.min(missing, this.#buffered.length));
      parts.push(part);
      missing -= part.length;
      if (missing === 0) return parts.length === 1 ? part : Buffer.concat(parts);
      await this.#moreOrThrow();
    }
  }

  #take(size: number): Uint8Array {
    const taken = this.#buffered.slice(0, size);
    this.#buffered = this.#buffered.subarray(size);
    return taken;
  }

  #more(): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#wake = resolve;
    return promise;
  }

  async #moreOrThrow(): Promise<void> {
    if (this.#ended) throw new ClientEnded("the client closed in the middle of a request");
    await this.#more();
  }
}

function parseHead(raw: string): Head {
  const [requestLine = "", ...lines] = raw.slice(0, -4).split("\r\n");
  const [method = "", path = ""] = requestLine.split(" ");
  const headers: Record<string, string> = Object.create(null);
  const headerLines = lines.map((line) => {
    const colon = line.indexOf(":");
    const name = line.slice(0, colon);
    const value = line.slice(colon + 1).trim();
    const key = name.toLowerCase();
    headers[key] = key in headers ? `${headers[key]}, ${value}` : value;
    return [name, value] as const;
  });
  return { method, path, headerLines, headers, raw };
}
