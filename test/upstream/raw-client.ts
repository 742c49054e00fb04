// A client of bare bytes: shows exactly what an HTTP server wrote, in which order, and how the connection ended.
import { connect } from "node:net";

/** How the server ended the connection. `open`: it had not, when the client stopped. */
export type RawEnd = "fin" | "reset" | "open";

export interface RawConnection {
  /** Everything received so far, as latin1 text. */
  text(): string;
  bytes(): Uint8Array;
  send(bytes: string | Uint8Array): void;
  /** Resolves when the text received matches; rejects when the connection ends first. */
  until(pattern: RegExp): Promise<string>;
  /** Resolves when the server ends the connection. */
  ended: Promise<RawEnd>;
  /** Stops reading, so that the server meets back-pressure. */
  pause(): void;
  resume(): void;
  /** FIN. */
  close(): void;
  /** RST. */
  reset(): void;
}

/** Connects to 127.0.0.1:port. */
export async function rawConnect(port: number): Promise<RawConnection> {
  const parts: Uint8Array[] = [];
  const watchers = new Set<() => void>();
  const socket = connect({ port, host: "127.0.0.1", allowHalfOpen: true });
  await new Promise<void>((resolve, reject) => {
    socket.once("connect", resolve);
    socket.once("error", reject);
  });
  const { promise: ended, resolve: end } = Promise.withResolvers<RawEnd>();
  let over = false;
  const finish = (how: RawEnd) => {
    over = true;
    end(how);
    for (const watcher of watchers) watcher();
  };
  socket.on("data", (data) => {
    parts.push(typeof data === "string" ? Buffer.from(data, "latin1") : data);
    for (const watcher of watchers) watcher();
  });
  socket.on("error", (error: NodeJS.ErrnoException) => finish(error.code === "ECONNRESET" || error.code === "EPIPE" ? "reset" : "fin"));
  socket.on("end", () => finish("fin"));
  socket.on("close", () => finish("open"));
  const text = () => Buffer.concat(parts).toString("latin1");
  return {
    text,
    bytes: () => Buffer.concat(parts),
    send: (bytes) => void socket.write(bytes),
    until: (pattern) =>
      new Promise<string>((resolve, reject) => {
        const look = () => {
          const seen = text();
          if (!pattern.test(seen) && !over) return;
          watchers.delete(look);
          if (pattern.test(seen)) resolve(seen);
          else reject(new Error(`the connection ended before ${pattern}: ${seen.slice(0, 500)}`));
        };
        watchers.add(look);
        look();
      }),
    ended,
    pause: () => void socket.pause(),
    resume: () => void socket.resume(),
    close: () => void socket.end(),
    reset: () => void socket.resetAndDestroy(),
  };
}

/** A JSON POST as raw text. */
export function rawPost(path: string, body: unknown, headers: Readonly<Record<string, string>> = {}): string {
  const text = JSON.stringify(body);
  const lines = Object.entries({
    host: "upstream",
    "content-type": "application/json",
    "content-length": String(Buffer.byteLength(text)),
    ...headers,
  });
  return `POST ${path} HTTP/1.1\r\n${lines.map(([name, value]) => `${name}: ${value}\r\n`).join("")}\r\n${text}`;
}

/** The parts of one HTTP/1.1 answer: status line, headers, and the chunks of its body as they were framed. */
export interface RawAnswer {
  statusLine: string;
  headers: Readonly<Record<string, string>>;
  /** Chunked bodies: each HTTP chunk. Others: the rest as one. */
  chunks: readonly string[];
  body: string;
  /** Chunked bodies: whether the last chunk (size 0) came. */
  complete: boolean;
}

/** Reads one answer out of received text. Throws for what is not HTTP. */
export function parseRawAnswer(text: string): RawAnswer {
  const headEnd = text.indexOf("\r\n\r\n");
  if (headEnd < 0) throw new Error(`no end of headers in: ${text.slice(0, 200)}`);
  const [statusLine = "", ...lines] = text.slice(0, headEnd).split("\r\n");
  const headers: Record<string, string> = {};
  for (const line of lines) {
    const colon = line.indexOf(":");
    headers[line.slice(0, colon).toLowerCase()] = line.slice(colon + 1).trim();
  }
  const rest = text.slice(headEnd + 4);
  if (headers["transfer-encoding"] !== "chunked") {
    const complete = headers["content-length"] === undefined || rest.length >= Number(headers["content-length"]);
    return { statusLine, headers, chunks: [rest], body: rest, complete };
  }
  const chunks: string[] = [];
  let at = 0;
  let complete = false;
  for (;;) {
    const lineEnd = rest.indexOf("\r\n", at);
    const size = lineEnd < 0 ? Number.NaN : Number.parseInt(rest.slice(at, lineEnd), 16);
    if (Number.isNaN(size)) break;
    if (size === 0) complete = true;
    if (size === 0 || rest.length < lineEnd + 2 + size + 2) break;
    chunks.push(rest.slice(lineEnd + 2, lineEnd + 2 + size));
    at = lineEnd + 2 + size + 2;
  }
  return { statusLine, headers, chunks, body: chunks.join(""), complete };
}
