// Plays one script onto one socket: every write, wait, cut and reset happens exactly where the script says.
import type { Socket } from "node:net";
import { type Framing, lastByteOf, readyAnswer } from "./answer";
import type { Ending, Pause, Script } from "./script";

/** The client closed before the answer was over. */
export class ClientGone extends Error {}

/** What is left of the connection. */
export type Played = "keep" | "closed";

/** The socket as a player uses it. */
export interface Line {
  socket: Socket;
  /** Fulfilled when the client closes or resets. */
  gone: Promise<void>;
  /** Named gates of the control mode. */
  openGate(name: string): Promise<void>;
}

const CRLF = Buffer.from("\r\n");
const nextTurn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

async function orGone<T>(line: Line, step: Promise<T>): Promise<T> {
  return Promise.race([
    step,
    line.gone.then((): never => {
      throw new ClientGone();
    }),
  ]);
}

/** Writes and waits until the kernel took it, so that a slow reader slows the player. */
async function write(line: Line, bytes: Uint8Array): Promise<void> {
  if (line.socket.destroyed) throw new ClientGone();
  const { promise, resolve } = Promise.withResolvers<void>();
  if (line.socket.write(bytes)) resolve();
  else line.socket.once("drain", resolve);
  await orGone(line, promise);
  await nextTurn();
}

async function wait(line: Line, pause: Pause | undefined): Promise<void> {
  if (pause === undefined) return;
  if (pause === "never") return orGone(line, new Promise<never>(() => undefined));
  if (pause instanceof Promise) return orGone(line, pause);
  if ("gate" in pause) return orGone(line, line.openGate(pause.gate));
  await orGone(line, new Promise<void>((resolve) => setTimeout(resolve, pause.ms)));
}

function finish(line: Line): Played {
  line.socket.end();
  return "closed";
}

function breakOff(line: Line): Played {
  line.socket.resetAndDestroy();
  return "closed";
}

const framed = (bytes: Uint8Array, framing: Framing): Uint8Array =>
  framing === "chunked" ? Buffer.concat([Buffer.from(`${bytes.length.toString(16)}\r\n`), bytes, CRLF]) : bytes;

/** Writes pieces, split at the points where the script waits, until `last` bytes have gone. */
async function playBody(line: Line, script: Script, pieces: Iterable<Uint8Array>, framing: Framing, last: number): Promise<void> {
  const pauses = [...(script.pauses ?? [])].sort((a, b) => a.afterBytes - b.afterBytes);
  let sent = 0;
  let first = true;
  const pauseHere = async () => {
    for (let next = pauses[0]; next && next.afterBytes <= sent; next = pauses[0]) {
      pauses.shift();
      await wait(line, next.until);
    }
  };
  await pauseHere();
  for (const piece of pieces) {
    if (sent >= last) return;
    if (piece.length === 0) continue;
    if (!first) await wait(line, script.betweenPieces);
    first = false;
    for (let rest = piece; rest.length > 0 && sent < last; ) {
      const stop = Math.min(pauses[0]?.afterBytes ?? Number.POSITIVE_INFINITY, last);
      const part = rest.subarray(0, Math.min(rest.length, stop - sent));
      await write(line, framed(part, framing));
      sent += part.length;
      rest = rest.subarray(part.length);
      await pauseHere();
    }
  }
}

async function playEnd(line: Line, end: Ending, framing: Framing): Promise<Played> {
  switch (end.kind) {
    case "whole":
    case "clean-end":
    case "close-after": {
      if (framing === "chunked") await write(line, Buffer.from("0\r\n\r\n"));
      if (end.kind === "close-after" || framing === "close") return finish(line);
      return "keep";
    }
    case "cut":
    case "cut-before-headers":
      return finish(line);
    case "reset":
    case "reset-before-headers":
      return breakOff(line);
    case "torn-chunk":
      await write(line, Buffer.from("400\r\ndata: {"));
      return finish(line);
    case "bad-chunk-size":
      await write(line, Buffer.from("zz\r\n"));
      return finish(line);
  }
}

/** Plays `script` as the answer to a request of `method`. Throws `ClientGone` when the client leaves before its end. */
export async function playScript(script: Script, method: string, line: Line): Promise<Played> {
  const end: Ending = script.end ?? { kind: "whole" };
  await wait(line, script.beforeHeaders);
  if (end.kind === "cut-before-headers") return finish(line);
  if (end.kind === "reset-before-headers") return breakOff(line);
  if (script.raw !== undefined) {
    await write(line, typeof script.raw === "string" ? Buffer.from(script.raw) : script.raw);
    return finish(line);
  }
  const { head, framing, pieces } = readyAnswer(script);
  await write(line, head);
  if (method === "HEAD") return framing === "close" ? finish(line) : "keep";
  await playBody(line, script, pieces, framing, lastByteOf(end) ?? Number.POSITIVE_INFINITY);
  return playEnd(line, end, framing);
}
