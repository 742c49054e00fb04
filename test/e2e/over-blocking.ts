// The over-blocking bar: what share of the calls that a hard budget could pay for is refused, and what share of answers our own limit cuts.
// The real line over the memory store, on virtual time; a provider whose answers are as long as recorded ones were, unless a limit ends
// them. Callers send no limit. 32 of them call without a pause until 95 % of a cap is spent, then the next key's cap begins.
import { TOLLWAY } from "../../src/core/brand";
import type { ScopeKind } from "../../src/core/budget";
import { type NanoUsd, nanoUsd } from "../../src/core/money";
import type { Dial, DialRequest, DialResponse, Holds, Ports } from "../../src/core/ports";
import type { Price } from "../../src/core/price";
import { Secret } from "../../src/core/secret";
import { CHAT_DOOR } from "../../src/gateway/door";
import { lineMemory } from "../../src/gateway/live-calls";
import { serve } from "../../src/gateway/serve";
import { openNotify } from "../../src/net/notify";
import { idsFrom } from "../../src/net/system";
import { BudgetBook } from "../../src/policy/budget-book";
import { ItemMemory } from "../../src/policy/item-memory";
import { costOf } from "../../src/policy/pricing";
import { RetryBudget } from "../../src/policy/retry";
import { openMemoryStore } from "../../src/store/memory";
import { openPrices } from "../../src/store/prices";
import { type Store, storePorts } from "../../src/store/store";
import { openVault } from "../../src/store/vault";
import { keptLog, ManualClock, seededRandom } from "../contract/manual-clock";
import { SILENT_EVENTS } from "./house";

/** What a recorded answer used. */
export interface Length {
  readonly inputTokens: number;
  readonly outputTokens: number;
}

export interface Mix {
  readonly name: string;
  /** Models of OpenAI, and the lengths that each one's answers are drawn from. */
  readonly models: readonly { readonly id: string; readonly lengths: readonly Length[] }[];
  /** Of a hundred calls, so many are streamed. */
  readonly streamed: number;
  /** Budgets of the same cap on key, project and organization; else on the key alone. */
  readonly threeScopes: boolean;
  /** Every cap meets a gateway that has seen no answer yet. */
  readonly cold: boolean;
  /** Milliseconds that a provider takes for a token. */
  readonly tokenMs: number;
}

/** Of the calls that were sent to the provider or refused before 95 % of their cap was spent. */
export interface Blocking {
  calls: number;
  answered: number;
  refused: number;
  /** Refused although a gate that knows the cost of every answer beforehand, and so holds no more than that, would have let them through. */
  refusedAffordable: number;
  /** The same, if calls that wait for their turn did not come before those that come after them. */
  refusedBeforeWaiting: number;
  /** Answers that a limit of ours ended. */
  cut: number;
  /** The most that was ever spent and held of a cap. */
  highest: number;
  /** Calls that waited for longer than a moment, and the longest wait. */
  waited: number;
  longestWaitMs: number;
}

const IN_FLIGHT = 32;
const CAP_IN_MEAN_CALLS = 200n;
const SPENT_PERCENT = 95n;
/** A refusal takes its way back to the caller. */
const ROUND_TRIP_MS = 5;
const FIRST_CHUNK_MS = 300;
const STEP_MS = 50;
const A_MOMENT_MS = 100;
/** A round in which so many are refused one after another has come to its end. */
const HOPELESS = 20_000;

const NEVER = 3_600_000;
const NEVER_LATE = { bodyMs: NEVER, firstChunkMs: NEVER, answerMs: NEVER, idleGapMs: NEVER, writeStallMs: NEVER, drainMs: NEVER };

interface Call {
  readonly n: number;
  readonly model: string;
  readonly length: Length;
  readonly cost: NanoUsd;
  readonly stream: boolean;
  startedMs: number;
  dispatched: boolean;
  over: boolean;
  /** It went out before 95 % was spent. */
  counts: boolean;
  cut: boolean;
}

const usageOf = ({ inputTokens, outputTokens }: Length): object => ({
  prompt_tokens: inputTokens,
  completion_tokens: outputTokens,
  total_tokens: inputTokens + outputTokens,
});

export async function measureOverBlocking(mix: Mix, calls: number, seed: number): Promise<Blocking> {
  const world = await OverBlocking.open(mix, seed);
  while (world.found.calls < calls) await world.round();
  return world.found;
}

class OverBlocking implements Dial {
  readonly found: Blocking = {
    calls: 0,
    answered: 0,
    refusedAffordable: 0,
    refusedBeforeWaiting: 0,
    refused: 0,
    cut: 0,
    highest: 0,
    waited: 0,
    longestWaitMs: 0,
  };
  readonly #clock = new ManualClock();
  readonly #random;
  readonly #prices = openPrices();
  readonly #mix: Mix;
  readonly #calls = new Map<number, Call>();
  #store!: Store;
  #ports!: Ports;
  #made = 0;
  #rounds = 0;
  /** Of this round: what answers that are over cost, and what those under way will. */
  #spent = 0n;
  #underWay = 0n;
  #dispatched = 0n;
  #done: () => boolean = () => false;

  private constructor(mix: Mix, seed: number) {
    this.#mix = mix;
    this.#random = seededRandom(seed);
  }

  static async open(mix: Mix, seed: number): Promise<OverBlocking> {
    const world = new OverBlocking(mix, seed);
    const shared = {
      clock: world.#clock,
      random: world.#random,
      log: keptLog(),
      pepper: new Secret("pepper of over-blocking"),
      keyPrefix: "tw",
    };
    world.#store = await openMemoryStore({ ...shared, reservations: new BudgetBook() });
    const ports = storePorts(world.#store, world.#prices);
    world.#ports = {
      stopping: new AbortController().signal,
      settings: { brand: TOLLWAY, limits: { maxBodyBytes: 1 << 22, maxAnswerBytes: 1 << 22, maxTargets: 4 }, deadlines: NEVER_LATE },
      connections: {
        connected: () => [{ provider: "openai", baseUrl: "http://upstream.invalid/v1", credential: new Secret("sk-upstream") }],
        address: () => undefined,
      },
      clock: world.#clock,
      random: world.#random,
      ids: idsFrom(world.#clock),
      dial: world,
      retries: new RetryBudget(),
      items: new ItemMemory(world.#clock),
      ...lineMemory(),
      ...ports,
      holds: world.#watched(ports.holds),
      vault: openVault({ current: new Uint8Array(32).fill(5), random: world.#random }),
      notify: openNotify({ allowPrivate: true, clock: world.#clock }),
      events: SILENT_EVENTS,
      log: { write: () => undefined },
    };
    return world;
  }

  /** One key with its cap, from nothing to 95 %. */
  async round(): Promise<void> {
    this.#rounds++;
    this.#spent = 0n;
    this.#underWay = 0n;
    this.#dispatched = 0n;
    if (this.#mix.cold) this.#ports = { ...this.#ports, ...lineMemory() };
    const cap = this.#meanCost() * CAP_IN_MEAN_CALLS;
    const { plain, budgets } = await this.#keyWith(cap);
    let refusedInARow = 0;
    this.#done = () => this.#spent * 100n >= cap * SPENT_PERCENT || refusedInARow > HOPELESS;
    let calling = IN_FLIGHT;
    const caller = async (): Promise<void> => {
      while (!this.#done()) refusedInARow = (await this.#call(plain, cap)) ? refusedInARow + 1 : 0;
      calling--;
    };
    const callers = Promise.all(Array.from({ length: IN_FLIGHT }, caller));
    while (calling > 0) await this.#clock.advance(STEP_MS);
    await callers;
    await this.#store.ledger.drain();
    for (const id of budgets) await this.#store.budgets.remove(id);
  }

  async #keyWith(cap: bigint): Promise<{ plain: string; budgets: readonly string[] }> {
    const organizationId = "default";
    const projectId = `proj_${this.#rounds}`;
    await this.#store.directory.put("project", { id: projectId, organizationId, createdAt: 0, name: projectId });
    const { key, plain } = await this.#store.keys.create({ organizationId, name: projectId, mode: "live", policy: { projectId } });
    const scopes: [ScopeKind, string, bigint][] = [["key", key.id, cap]];
    const before = this.#store.counters.read(`organization:${organizationId}`, "live").spent;
    if (this.#mix.threeScopes) scopes.push(["project", projectId, cap], ["organization", organizationId, before + cap]);
    const window = { unit: "lifetime", rolling: false, zone: "UTC" } as const;
    const budgets: string[] = [];
    for (const [kind, id, limit] of scopes) {
      const made = { id: `bdg_${kind}_${this.#rounds}`, organizationId, scope: { kind, id }, window, hard: true, thresholds: [] };
      await this.#store.budgets.put({ ...made, limit: nanoUsd(limit), createdAt: this.#clock.now() });
      budgets.push(made.id);
    }
    return { plain: plain.reveal(), budgets };
  }

  /** Looks at every budget at every hold. */
  #watched(holds: Holds): Holds {
    return {
      openCount: () => holds.openCount(),
      open: (attempt) => {
        const opening = holds.open(attempt);
        for (const { budget, spent, reserved } of this.#store.budgets.states(attempt, attempt.mode))
          this.found.highest = Math.max(this.found.highest, Number(spent + reserved) / Number(budget.limit));
        return opening;
      },
    };
  }

  /** true: it was refused. */
  async #call(plain: string, cap: bigint): Promise<boolean> {
    const call = this.#draw();
    const before = call.cost <= cap - this.#spent - this.#dispatched;
    const affordable = call.cost <= cap - this.#spent - this.#underWay;
    this.#underWay += call.cost;
    const request = new Request("http://gateway.invalid/v1/chat/completions", {
      method: "POST",
      headers: { authorization: `Bearer ${plain}`, "content-type": "application/json" },
      body: JSON.stringify({
        model: call.model,
        stream: call.stream,
        // Four bytes a token, as English has.
        messages: [{ role: "user", content: `#${call.n} ${"word".repeat(call.length.inputTokens)}` }],
      }),
    });
    const response = await serve(request, CHAT_DOOR, this.#ports);
    const text = await response.text();
    this.#calls.delete(call.n);
    if (!call.over) this.#underWay -= call.cost;
    const counts = call.dispatched ? call.counts : !this.#done();
    if (response.status !== 200 && response.status !== 402) throw new Error(`${response.status}: ${text}`);
    if (counts) this.found.calls++;
    if (response.status === 200) {
      if (counts) this.found.answered++;
      if (counts && call.cut) this.found.cut++;
      return false;
    }
    if (counts) this.found.refused++;
    if (counts && affordable) this.found.refusedAffordable++;
    if (counts && before) this.found.refusedBeforeWaiting++;
    await this.#clock.sleep(ROUND_TRIP_MS);
    return true;
  }

  async send(request: DialRequest, _signal: AbortSignal): Promise<DialResponse> {
    const body = JSON.parse(typeof request.body === "string" ? request.body : new TextDecoder().decode(request.body)) as Asked;
    const call = this.#calls.get(Number(/^#(\d+) /.exec(body.messages[0]?.content ?? "")?.[1]));
    if (!call) throw new Error("A call that nobody made");
    const waited = this.#clock.elapsedMs() - call.startedMs;
    this.found.longestWaitMs = Math.max(this.found.longestWaitMs, waited);
    if (waited > A_MOMENT_MS) this.found.waited++;
    call.dispatched = true;
    call.counts = !this.#done();
    const limit = body.max_completion_tokens ?? body.max_tokens;
    call.cut = limit !== undefined && limit < call.length.outputTokens;
    const outputTokens = call.cut ? (limit ?? 0) : call.length.outputTokens;
    const usage = { inputTokens: call.length.inputTokens, outputTokens };
    const cost = this.#costOf(call.model, usage);
    this.#dispatched += cost;
    await this.#clock.sleep(FIRST_CHUNK_MS + (call.stream ? 0 : outputTokens * this.#mix.tokenMs));
    const over = (): void => {
      call.over = true;
      this.#dispatched -= cost;
      this.#underWay -= call.cost;
      this.#spent += cost;
    };
    const finish = call.cut ? "length" : "stop";
    if (!call.stream) {
      over();
      return wholeAnswer(call.model, usage, finish);
    }
    return streamedAnswer(call.model, usage, finish, async () => {
      await this.#clock.sleep(outputTokens * this.#mix.tokenMs);
      over();
    });
  }

  #draw(): Call {
    const { models, streamed } = this.#mix;
    const model = models[Math.floor(this.#random.next() * models.length)];
    const length = model?.lengths[Math.floor(this.#random.next() * model.lengths.length)];
    if (!model || !length) throw new Error("A mix without lengths");
    const call = {
      n: ++this.#made,
      model: model.id,
      length,
      cost: this.#costOf(model.id, length),
      stream: this.#random.next() * 100 < streamed,
      startedMs: this.#clock.elapsedMs(),
      dispatched: false,
      over: false,
      counts: false,
      cut: false,
    };
    this.#calls.set(call.n, call);
    return call;
  }

  #meanCost(): bigint {
    const { models } = this.#mix;
    let sum = 0n;
    for (const { id, lengths } of models) {
      let ofModel = 0n;
      for (const length of lengths) ofModel += this.#costOf(id, length);
      sum += ofModel / BigInt(lengths.length);
    }
    return sum / BigInt(models.length);
  }

  #priceOf(model: string): Price | undefined {
    return this.#prices.price("openai", model, this.#clock.now());
  }

  #costOf(model: string, usage: Length): NanoUsd {
    const cost = costOf(usage, this.#priceOf(model))?.total;
    if (cost === undefined) throw new Error(`${model} has no price`);
    return cost;
  }
}

interface Asked {
  messages: { content: string }[];
  max_tokens?: number;
  max_completion_tokens?: number;
}

const encoder = new TextEncoder();
const head = (model: string): object => ({ id: "chatcmpl-1", created: 1_790_000_000, model });

function wholeAnswer(model: string, usage: Length, finish: string): DialResponse {
  const message = { role: "assistant", content: "Well.", refusal: null };
  const choices = [{ index: 0, message, logprobs: null, finish_reason: finish }];
  const bytes = encoder.encode(JSON.stringify({ ...head(model), object: "chat.completion", choices, usage: usageOf(usage) }));
  const headers = new Map([["content-type", "application/json"]]);
  return { status: 200, headers, body: new Blob([bytes]).stream(), bytes: async () => bytes };
}

function streamedAnswer(model: string, usage: Length, finish: string, rest: () => Promise<void>): DialResponse {
  const chunk = (more: object): Uint8Array =>
    encoder.encode(`data: ${JSON.stringify({ ...head(model), object: "chat.completion.chunk", ...more })}\n\n`);
  const first = chunk({ choices: [{ index: 0, delta: { role: "assistant", content: "Well." }, finish_reason: null }], usage: null });
  const last = [
    chunk({ choices: [{ index: 0, delta: {}, finish_reason: finish }], usage: null }),
    chunk({ choices: [], usage: usageOf(usage) }),
    encoder.encode("data: [DONE]\n\n"),
  ];
  const body = new ReadableStream<Uint8Array>({
    async start(controller) {
      controller.enqueue(first);
      await rest();
      for (const frame of last) controller.enqueue(frame);
      controller.close();
    },
  });
  const headers = new Map([["content-type", "text/event-stream"]]);
  return { status: 200, headers, body, bytes: async () => new Uint8Array(await new Response(body).arrayBuffer()) };
}
