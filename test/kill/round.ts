// One kill: many calls in flight, a SIGKILL at a chosen point, a restart, and the books.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { systemClock } from "../../src/net/system";
import { CHAT_ANSWER, CHAT_STREAM } from "../e2e/own-answers";
import { startUpstream } from "../upstream/upstream";
import { type Books, heldAtDeath, readBooks } from "./books";
import type { KillPoint } from "./kill-point";

export interface RoundResult {
  point: KillPoint;
  /** Calls that had no answer when the process died. */
  inFlight: number;
  /** Requests that reached the provider. */
  dispatched: number;
  rows: number;
  /** Calls that a budget refused before the process died. */
  refused: number;
  /** Holds that stood when the process died. */
  held: number;
  /** Rows by how they were settled. */
  settled: Readonly<Record<string, number>>;
  /** What is wrong; empty: nothing. */
  faults: string[];
}

/** So many calls at once, then as many again one after the other: at any moment there are some in every state. */
const WAVE = 40;
const STAGGER_MS = 3;
/** Providers answer after this, and streams send a frame each so often: calls overlap. */
const THINK_MS = 30;
const FRAME_MS = 8;

export async function killRound(point: KillPoint, passes: number): Promise<RoundResult> {
  const folder = mkdtempSync(join(tmpdir(), "tollway-kill-"));
  const upstream = await startUpstream({
    answer: (request) => ({
      ...(request.stream ? CHAT_STREAM : CHAT_ANSWER),
      beforeHeaders: { ms: THINK_MS + (request.order % 8) * 10 },
      betweenPieces: request.stream ? { ms: FRAME_MS } : undefined,
    }),
  });
  const child = Bun.spawn([process.execPath, join(import.meta.dir, "gateway.ts"), folder, upstream.url, point, String(passes)], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  try {
    const started = await firstLine(child.stdout);
    const unanswered = new Set<number>();
    const refused = new Set<string>();
    const calls = Array.from({ length: WAVE * 2 }, async (_, index) => {
      if (index >= WAVE) await systemClock.sleep((index - WAVE + 1) * STAGGER_MS);
      if (child.exitCode !== null || child.signalCode !== null) return;
      unanswered.add(index);
      const status = await oneCall(started, index);
      if (status !== undefined) unanswered.delete(index);
      if (status === 402) refused.add(`call-${index}`);
    });
    // If the point is not reached by this load, that is a fault of the test, found below by the exit code.
    await Promise.race([child.exited, Promise.all(calls).then(() => systemClock.sleep(2_000))]);
    const inFlight = unanswered.size;
    const killed = child.signalCode === "SIGKILL";
    child.kill("SIGKILL");
    await child.exited;
    await Promise.all(calls);
    const held = heldAtDeath(folder);
    const books = await readBooks(folder);
    const dispatched = upstream.requests.map((request) => tagOf(request.json()));
    const settled: Record<string, number> = {};
    for (const { settlement } of books.rows) settled[settlement] = (settled[settlement] ?? 0) + 1;
    return {
      point,
      inFlight,
      dispatched: dispatched.length,
      rows: books.rows.length,
      refused: refused.size,
      held,
      settled,
      faults: [...(killed ? [] : ["the point was never reached"]), ...books.faults, ...attemptFaults(dispatched, refused, books)],
    };
  } finally {
    child.kill("SIGKILL");
    await upstream.close();
    rmSync(folder, { recursive: true, force: true });
  }
}

interface Started {
  port: number;
  /** Keys: one with room for every call, one whose cap a few calls fill. */
  roomy: string;
  tight: string;
}

async function firstLine(stdout: ReadableStream<Uint8Array>): Promise<Started> {
  let text = "";
  for await (const chunk of stdout) {
    text += new TextDecoder().decode(chunk);
    if (text.includes("\n")) return JSON.parse(text.split("\n")[0] as string) as Started;
  }
  throw new Error(`The gateway did not start: ${text}`);
}

/** Of eight calls two go by the tight key, one of them streamed; of those by the other some send no limit. */
const isTight = (index: number): boolean => index % 8 === 3 || index % 8 === 6;
const isLimited = (index: number): boolean => isTight(index) || index % 5 !== 0;

/** The status of an answer that came whole; undefined: it did not. */
async function oneCall({ port, roomy, tight }: Started, index: number): Promise<number | undefined> {
  try {
    const response = await fetch(`http://127.0.0.1:${port}/v1/chat/completions`, {
      method: "POST",
      headers: {
        authorization: `Bearer ${isTight(index) ? tight : roomy}`,
        "content-type": "application/json",
        "x-tollway-tag": `call-${index}`,
      },
      body: JSON.stringify({
        model: "gpt-4o-mini",
        ...(isLimited(index) ? { max_tokens: 20 } : {}),
        stream: index % 2 === 0,
        messages: [{ role: "user", content: `call-${index}` }],
      }),
    });
    const text = await response.text();
    const whole = !response.ok || index % 2 === 1 || text.includes("[DONE]");
    return whole ? response.status : undefined;
  } catch (error) {
    if (error instanceof Error) return undefined;
    throw error;
  }
}

const tagOf = (body: unknown): string => (body as { messages: { content: string }[] }).messages[0]?.content ?? "";

/** I3: one row for each attempt that reached the provider, none for a call that was refused. */
function attemptFaults(dispatched: readonly string[], refused: ReadonlySet<string>, books: Books): string[] {
  const faults: string[] = [];
  const tags = books.rows.map((row) => row.tag ?? "");
  const count = (list: readonly string[], tag: string): number => list.filter((one) => one === tag).length;
  for (const tag of new Set([...dispatched, ...tags])) {
    const [sent, written] = [count(dispatched, tag), count(tags, tag)];
    if (written < sent) faults.push(`I3 ${tag} reached the provider ${sent} times and has ${written} rows`);
    if (written > 1) faults.push(`I3 ${tag} has ${written} rows`);
    if (written > 0 && refused.has(tag)) faults.push(`I3 ${tag} was refused and has ${written} rows`);
  }
  return faults;
}
