// One kill: many calls in flight, a SIGKILL at a chosen point, a restart, and the books.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Secret } from "../../src/core/secret";
import { systemClock, systemRandom } from "../../src/net/system";
import { BudgetBook } from "../../src/policy/budget-book";
import { openStore } from "../../src/store/open";
import { CHAT_ANSWER, CHAT_STREAM } from "../e2e/own-answers";
import { startUpstream } from "../upstream/upstream";
import type { KillPoint } from "./kill-point";

export interface RoundResult {
  point: KillPoint;
  /** Calls that had no answer when the process died. */
  inFlight: number;
  /** Requests that reached the provider. */
  dispatched: number;
  rows: number;
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
    const { port, key } = await firstLine(child.stdout);
    const unanswered = new Set<number>();
    const calls = Array.from({ length: WAVE * 2 }, async (_, index) => {
      if (index >= WAVE) await systemClock.sleep((index - WAVE + 1) * STAGGER_MS);
      if (child.exitCode !== null || child.signalCode !== null) return;
      unanswered.add(index);
      if (await oneCall(port, key, index)) unanswered.delete(index);
    });
    // If the point is not reached by this load, that is a fault of the test, found below by the exit code.
    await Promise.race([child.exited, Promise.all(calls).then(() => systemClock.sleep(2_000))]);
    const inFlight = unanswered.size;
    const killed = child.signalCode === "SIGKILL";
    child.kill("SIGKILL");
    await child.exited;
    await Promise.all(calls);
    const books = await readBooks(folder);
    const dispatched = upstream.requests.map((request) => tagOf(request.json()));
    return {
      point,
      inFlight,
      dispatched: dispatched.length,
      rows: books.tags.length,
      faults: [...(killed ? [] : ["the point was never reached"]), ...faultsOf(dispatched, books)],
    };
  } finally {
    child.kill("SIGKILL");
    await upstream.close();
    rmSync(folder, { recursive: true, force: true });
  }
}

async function firstLine(stdout: ReadableStream<Uint8Array>): Promise<{ port: number; key: string }> {
  let text = "";
  for await (const chunk of stdout) {
    text += new TextDecoder().decode(chunk);
    if (text.includes("\n")) return JSON.parse(text.split("\n")[0] as string) as { port: number; key: string };
  }
  throw new Error(`The gateway did not start: ${text}`);
}

/** True: the answer came whole. */
async function oneCall(port: number, key: string, index: number): Promise<boolean> {
  try {
    const response = await fetch(`http://127.0.0.1:${port}/v1/chat/completions`, {
      method: "POST",
      headers: { authorization: `Bearer ${key}`, "content-type": "application/json", "x-tollway-tag": `call-${index}` },
      body: JSON.stringify({
        model: "gpt-4o-mini",
        max_tokens: 20,
        stream: index % 2 === 0,
        messages: [{ role: "user", content: `call-${index}` }],
      }),
    });
    const text = await response.text();
    return response.ok && (index % 2 === 1 || text.includes("[DONE]"));
  } catch (error) {
    if (error instanceof Error) return false;
    throw error;
  }
}

const tagOf = (body: unknown): string => (body as { messages: { content: string }[] }).messages[0]?.content ?? "";

interface Books {
  /** One for each ledger row. */
  tags: string[];
  unsettledCost: number;
  reserved: bigint;
  spent: bigint;
  sum: bigint;
}

/** Opens the data as the next start does, and reads it through the ports. */
async function readBooks(folder: string): Promise<Books> {
  const store = await openStore({
    url: `file:${join(folder, "tollway.db")}`,
    migrationsFolder: join(import.meta.dir, "../../drizzle"),
    durability: "normal",
    pepper: new Secret("pepper-of-the-kill-test-0123456789"),
    keyPrefix: "tw",
    reservations: new BudgetBook(),
    clock: systemClock,
    random: systemRandom,
    log: { write: () => undefined },
  });
  try {
    const entries = (await store.records.audit({ organizationId: "default", limit: 1000 })).data;
    const rows = entries.flatMap((entry) => entry.attempts);
    const { spent, reserved } = store.counters.read("organization:default", "live");
    return {
      tags: rows.map((row) => row.tag ?? ""),
      unsettledCost: rows.filter((row) => row.cost === undefined).length,
      reserved,
      spent,
      sum: rows.reduce((sum, row) => sum + (row.cost ?? 0n), 0n),
    };
  } finally {
    await store.close();
  }
}

function faultsOf(dispatched: readonly string[], books: Books): string[] {
  const faults: string[] = [];
  const count = (list: readonly string[], tag: string): number => list.filter((one) => one === tag).length;
  for (const tag of new Set([...dispatched, ...books.tags])) {
    if (count(books.tags, tag) < count(dispatched, tag))
      faults.push(`${tag} reached the provider ${count(dispatched, tag)} times and has ${count(books.tags, tag)} rows`);
    if (count(books.tags, tag) > 1) faults.push(`${tag} has ${count(books.tags, tag)} rows`);
  }
  if (books.unsettledCost > 0) faults.push(`${books.unsettledCost} rows have no cost`);
  if (books.reserved !== 0n) faults.push(`${books.reserved} is still reserved`);
  if (books.sum !== books.spent) faults.push(`rows sum to ${books.sum}, the counter says ${books.spent}`);
  return faults;
}
