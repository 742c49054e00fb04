// A gateway in a scripted world: the real line over a memory store, a clock that a seed moves, a provider that a seed makes fail. One
// seed is one history. After every step the books must be right (reliability.md, Invariants).
import { TOLLWAY } from "../../src/core/brand";
import type { Budget, Scope, ScopeKind, WindowUnit } from "../../src/core/budget";
import { nanoUsd } from "../../src/core/money";
import type { Holds, Ports, Random } from "../../src/core/ports";
import { Secret } from "../../src/core/secret";
import type { Deadlines } from "../../src/core/settings";
import { CHAT_DOOR } from "../../src/gateway/door";
import { lineMemory } from "../../src/gateway/live-calls";
import { serve } from "../../src/gateway/serve";
import { openNotify } from "../../src/net/notify";
import { idsFrom } from "../../src/net/system";
import { leftOf } from "../../src/policy/budget";
import { BudgetBook } from "../../src/policy/budget-book";
import { ItemMemory } from "../../src/policy/item-memory";
import { RetryBudget } from "../../src/policy/retry";
import { type MemoryData, memoryData, openMemoryStore } from "../../src/store/memory";
import { openPrices } from "../../src/store/prices";
import { type Store, storePorts } from "../../src/store/store";
import { openVault } from "../../src/store/vault";
import { keptLog, ManualClock, seededRandom, turn } from "../contract/manual-clock";
import { SILENT_EVENTS } from "../e2e/house";
import { checkBooks } from "./books";
import { ScriptedProvider } from "./provider";

const MASTER_KEY = new Uint8Array(32).fill(3);
const MINUTE = 60_000;
const DEADLINES: Deadlines = {
  bodyMs: MINUTE,
  firstChunkMs: MINUTE,
  answerMs: MINUTE,
  idleGapMs: MINUTE,
  writeStallMs: MINUTE,
  drainMs: MINUTE,
};
const UNITS: readonly WindowUnit[] = ["minute", "hour", "day", "week", "month", "lifetime"];
const ZONES = ["UTC", "Asia/Kathmandu", "America/New_York"];
const MODELS = ["gpt-4o-mini", "gpt-4.1-nano", "gpt-4o"];
const USERS = ["alice", "bob", undefined];
const AGENTS = ["crawler", undefined];

interface Key {
  id: string;
  plain: string;
}

export interface Count {
  calls: number;
  admitted: number;
  refused: number;
  crashes: number;
  changes: number;
}

export class World {
  readonly count: Count = { calls: 0, admitted: 0, refused: 0, crashes: 0, changes: 0 };
  readonly #data: MemoryData = memoryData();
  readonly #clock = new ManualClock();
  readonly #random: Random;
  readonly #provider: ScriptedProvider;
  readonly #prices = openPrices();
  #store!: Store;
  #ports!: Ports;
  #stopping!: AbortController;
  #log = keptLog();
  #keys: Key[] = [];
  /** Answers that are still being read. */
  #open = new Set<Promise<void>>();

  private constructor(seed: number) {
    this.#random = seededRandom(seed);
    this.#provider = new ScriptedProvider(seededRandom(seed + 1), this.#clock);
  }

  static async open(seed: number): Promise<World> {
    const world = new World(seed);
    await world.#start();
    const { directory, keys } = world.#store;
    const made = { organizationId: "default", createdAt: world.#clock.now() };
    await directory.put("team", { ...made, id: "team_1", name: "one" });
    for (const n of [1, 2]) await directory.put("project", { ...made, id: `proj_${n}`, name: `p${n}`, teamId: "team_1" });
    for (let n = 0; n < 6; n++) {
      const projectId = n < 2 ? "proj_1" : n < 4 ? "proj_2" : undefined;
      const { key, plain } = await keys.create({
        organizationId: "default",
        name: `k${n}`,
        mode: n === 5 ? "test" : "live",
        policy: projectId === undefined ? {} : { projectId },
      });
      world.#keys.push({ id: key.id, plain: plain.reveal() });
    }
    return world;
  }

  /** One step of the history: calls, a change, time, or a crash; then the books are looked at. */
  async step(): Promise<void> {
    const dice = this.#random.next();
    if (dice < 0.02) await this.#crash();
    else if (dice < 0.12) await this.#change();
    else if (dice < 0.3) await this.#clock.advance(Math.floor(this.#random.next() ** 3 * 30 * MINUTE));
    else for (let n = 1 + Math.floor(this.#random.next() * 40); n > 0; n--) this.#call();
    for (let turns = Math.floor(this.#random.next() * 4); turns > 0; turns--) await turn();
    // The whole ledger is added up anew for each look: every few steps, and always when a crash or a change has just been.
    if (dice < 0.12 || this.#random.next() < 0.15) this.#check();
  }

  /** Every answer is over and everything is written. */
  async settle(): Promise<void> {
    while (this.#open.size > 0) await this.#clock.advance(MINUTE);
    while (this.#store.holds.openCount() > 0) await this.#clock.advance(MINUTE);
    await this.#store.ledger.drain();
    this.#check();
    for (const row of this.#store.holds.openCount() > 0 ? ["a hold"] : []) throw new Error(`${row} is left over`);
  }

  #check(): void {
    checkBooks(this.#data, this.#store, this.#clock.now());
  }

  async #start(): Promise<void> {
    const shared = {
      clock: this.#clock,
      random: this.#random,
      log: keptLog(),
      pepper: new Secret("pepper of the simulation"),
      keyPrefix: "tw",
    };
    this.#store = await openMemoryStore({ ...shared, data: this.#data, takeOver: true, reservations: new BudgetBook() });
    this.#stopping = new AbortController();
    const ports = storePorts(this.#store, this.#prices);
    this.#ports = {
      stopping: this.#stopping.signal,
      settings: { brand: TOLLWAY, limits: { maxBodyBytes: 1 << 20, maxAnswerBytes: 1 << 20, maxTargets: 4 }, deadlines: DEADLINES },
      connections: {
        connected: () => [{ provider: "openai", baseUrl: "http://upstream.invalid/v1", credential: new Secret("sk-upstream") }],
        address: () => undefined,
      },
      clock: this.#clock,
      random: this.#random,
      ids: idsFrom(this.#clock),
      dial: this.#provider,
      retries: new RetryBudget(),
      items: new ItemMemory(this.#clock),
      ...lineMemory(),
      ...ports,
      holds: this.#watched(ports.holds),
      vault: openVault({ current: MASTER_KEY, random: this.#random }),
      notify: openNotify({ allowPrivate: true, clock: this.#clock }),
      events: SILENT_EVENTS,
      log: shared.log,
    };
  }

  /** I4: what was just held is within every cap that is in force at that instant. */
  #watched(holds: Holds): Holds {
    return {
      openCount: () => holds.openCount(),
      open: (attempt) => {
        const before = this.#store.counters.read(`organization:${attempt.organizationId}`, attempt.mode).reserved;
        const opening = holds.open(attempt);
        const after = this.#store.counters.read(`organization:${attempt.organizationId}`, attempt.mode).reserved;
        const bound = attempt.bound ?? 0n;
        if (after - before === bound && bound > 0n) {
          for (const state of this.#store.budgets.states(attempt, attempt.mode)) {
            const { budget, spent, reserved } = state;
            if (budget.hard && spent + reserved > budget.limit)
              throw new Error(`I4: ${budget.id} holds ${spent + reserved} of ${budget.limit}`);
          }
          const states = this.#store.budgets.states(attempt, attempt.mode);
          // I9: no budgeted dispatch without a price.
          if (states.some((one) => leftOf(one) !== undefined) && attempt.priceVersion === undefined)
            throw new Error("I9: an unpriced call was held");
        }
        return opening;
      },
    };
  }

  #call(): void {
    const pick = <T>(list: readonly T[]): T => list[Math.floor(this.#random.next() * list.length)] as T;
    const key = pick(this.#keys);
    const stream = this.#random.next() < 0.5;
    const limited = this.#random.next() < 0.7;
    const body = {
      model: pick(MODELS),
      messages: [{ role: "user", content: "x".repeat(Math.floor(this.#random.next() * 60)) }],
      stream,
      ...(limited ? { max_completion_tokens: 1 + Math.floor(this.#random.next() * 400) } : {}),
    };
    const headers: Record<string, string> = { authorization: `Bearer ${key.plain}`, "content-type": "application/json" };
    const user = pick(USERS);
    const agent = pick(AGENTS);
    if (user !== undefined) headers["x-tollway-user"] = user;
    if (agent !== undefined) headers["x-tollway-agent"] = agent;
    const leaving = new AbortController();
    const request = new Request("http://gateway.invalid/v1/chat/completions", {
      method: "POST",
      headers,
      body: JSON.stringify(body),
      signal: leaving.signal,
    });
    this.count.calls++;
    const reading = this.#read(request, leaving).finally(() => this.#open.delete(reading));
    this.#open.add(reading);
  }

  /** The caller reads its answer, or leaves. */
  async #read(request: Request, leaving: AbortController): Promise<void> {
    const leaves = this.#random.next() < 0.1;
    if (leaves && this.#random.next() < 0.3) leaving.abort();
    const response = await serve(request, CHAT_DOOR, this.#ports);
    if (response.status === 402) this.count.refused++;
    else if (response.status === 200) this.count.admitted++;
    else if (response.status === 500)
      throw new Error(`a bug: ${JSON.stringify(this.#log.lines.findLast(({ event }) => event === "internal_error"))}`);
    const reader = response.body?.getReader();
    if (!reader) return;
    let reads = 0;
    try {
      while (!(await reader.read()).done) {
        if (leaves && ++reads > 1) {
          await reader.cancel();
          return;
        }
      }
    } catch (thrown) {
      if (!(thrown instanceof Error)) throw thrown;
    }
  }

  /** A budget is made, changed or taken away, while calls are on their way. */
  async #change(): Promise<void> {
    this.count.changes++;
    const pick = <T>(list: readonly T[]): T => list[Math.floor(this.#random.next() * list.length)] as T;
    const known = this.#store.directory.list("budget", "default");
    if (known.length > 0 && (known.length > 7 || this.#random.next() < 0.4)) {
      await this.#store.budgets.remove(pick(known).id);
      return;
    }
    const old = known.length > 0 && this.#random.next() < 0.4 ? pick(known) : undefined;
    const scope: Scope = old?.scope ?? this.#scope(pick<ScopeKind>(["organization", "team", "project", "key", "user", "agent"]));
    // From next to nothing to more than a history spends.
    const limit = nanoUsd(BigInt(Math.floor(10 ** (4 + this.#random.next() * 5))));
    const rolling = this.#random.next() < 0.3;
    const made: Budget = {
      id: old?.id ?? `bdg_${this.count.changes}`,
      organizationId: "default",
      scope,
      limit,
      window: old && this.#random.next() < 0.5 ? old.window : { unit: pick(UNITS), rolling, zone: pick(ZONES) },
      hard: this.#random.next() < 0.8,
      thresholds: this.#random.next() < 0.3 ? [{ percent: 50, action: "alert" }] : [],
      createdAt: this.#clock.now(),
    };
    // The clock stands still meanwhile: the writer works on turns of the event loop.
    await this.#store.budgets.put(made);
  }

  #scope(kind: ScopeKind): Scope {
    const pick = <T>(list: readonly T[]): T => list[Math.floor(this.#random.next() * list.length)] as T;
    const ids: Partial<Record<ScopeKind, string>> = {
      organization: "default",
      team: "team_1",
      project: pick(["proj_1", "proj_2"]),
      key: pick(this.#keys).id,
      user: pick(["alice", "bob"]),
      agent: "crawler",
    };
    return { kind, id: ids[kind] ?? "default" };
  }

  /** The process dies: what it had not written is gone, and the next one takes the data over. */
  async #crash(): Promise<void> {
    this.count.crashes++;
    const dead = this.#stopping;
    const orphans = [...this.#open];
    await this.#start();
    dead.abort();
    // What the dead process still tries to write reaches nobody.
    for (const orphan of orphans) orphan.catch(() => undefined);
    this.#open.clear();
  }
}
