// The replay upstream: a provider made of recordings, over real sockets. Bytes, cuts, resets and stalls are exactly the script's.
import { createServer, type Socket } from "node:net";
import { readyAnswer } from "./answer";
import { ClientGone, type Line, playScript } from "./player";
import { ClientEnded, type Head, RequestReader } from "./request-reader";
import { type Answer, asScript, type ByModel, gate, type Script } from "./script";

/** How an exchange ended, seen from the provider: the script was played to its end, or the client left first. */
export type ExchangeEnd = "played" | "gone";

export interface RecordedRequest extends Head {
  /** From 1, in order of arrival. */
  order: number;
  /** From 1: which TCP connection. */
  connection: number;
  /** Unix milliseconds of the whole request, or of its head with `answerAt: "head"`. */
  receivedAt: number;
  body: Uint8Array;
  /** The body as text and as JSON. */
  text(): string;
  json(): unknown;
  /** What the request asks for: the body's `model`, or the one in a Gemini path. */
  model: string | undefined;
  stream: boolean;
  /** Fulfilled when the client disconnects before the script is over. Never otherwise. */
  gone: Promise<void>;
  /** Unix milliseconds at which the client left. */
  goneAt: number | undefined;
  ended: Promise<ExchangeEnd>;
}

export interface PlayOptions {
  /** Only for requests for this model; default: the next request, whatever it asks. */
  model?: string | undefined;
  /** How many requests it answers. Default 1. */
  times?: number | "always" | undefined;
}

export interface UpstreamOptions {
  /** Default: any free port of 127.0.0.1. */
  port?: number | undefined;
  byModel?: ByModel | undefined;
  /** Asked after the queue and before `byModel`; undefined passes on. */
  answer?: ((request: RecordedRequest) => Answer | undefined) | undefined;
  /** Sees every request before it is recorded; true: it wrote its own answer. Used by the control mode. */
  intercept?: ((head: Head, body: Uint8Array, socket: Socket) => Promise<boolean>) | undefined;
}

export interface Upstream {
  port: number;
  /** http://127.0.0.1:PORT */
  url: string;
  requests: RecordedRequest[];
  /** What went wrong in the upstream itself: requests without a script, scripts that cannot be played. Empty in a sound test. */
  problems: string[];
  /** Number of connections accepted so far. */
  connections(): number;
  /** Queues an answer. Throws when it cannot be played. */
  play(answer: Answer, options?: PlayOptions): void;
  setModels(byModel: ByModel): void;
  /** The request number `order`, when it has arrived. */
  request(order: number): Promise<RecordedRequest>;
  openGate(name: string): void;
  /** Drops queue, requests, gates and problems; keeps the models. */
  forget(): void;
  /** Stops listening and resets what is open. */
  close(): Promise<void>;
}

interface Queued {
  script: Script;
  model: string | undefined;
  left: number;
}

const GEMINI_PATH = /\/models\/([^/:?]+):(\w+)/;

function describe(head: Head, body: Uint8Array): { model: string | undefined; stream: boolean } {
  const gemini = GEMINI_PATH.exec(head.path);
  if (gemini) return { model: decodeURIComponent(gemini[1] ?? ""), stream: gemini[2] === "streamGenerateContent" };
  if (!(head.headers["content-type"] ?? "").includes("json")) return { model: undefined, stream: false };
  const text = new TextDecoder().decode(body);
  try {
    const json: unknown = JSON.parse(text);
    if (typeof json !== "object" || json === null) return { model: undefined, stream: false };
    const model = "model" in json && typeof json.model === "string" ? json.model : undefined;
    return { model, stream: "stream" in json && json.stream === true };
  } catch {
    return { model: undefined, stream: false }; // A test may send anything; it is recorded as it came.
  }
}

class ReplayUpstream {
  readonly requests: RecordedRequest[] = [];
  readonly problems: string[] = [];
  readonly sockets = new Set<Socket>();
  accepted = 0;
  #order = 0;
  #queue: Queued[] = [];
  #byModel: ByModel;
  #gates = new Map<string, ReturnType<typeof gate>>();
  #waiting = new Map<number, (request: RecordedRequest) => void>();
  readonly #options: UpstreamOptions;

  constructor(options: UpstreamOptions) {
    this.#options = options;
    this.#byModel = {};
    this.setModels(options.byModel ?? {});
  }

  play(answer: Answer, { model, times = 1 }: PlayOptions = {}): void {
    const script = asScript(answer);
    if (script.raw === undefined) readyAnswer(script);
    this.#queue.push({ script, model, left: times === "always" ? Number.POSITIVE_INFINITY : times });
  }

  setModels(byModel: ByModel): void {
    for (const entry of Object.values(byModel)) {
      for (const answer of typeof entry === "object" && "whole" in entry ? [entry.whole, entry.stream] : [entry]) {
        const script = asScript(answer);
        if (script.raw === undefined) readyAnswer(script);
      }
    }
    this.#byModel = byModel;
  }

  gate(name: string): ReturnType<typeof gate> {
    const known = this.#gates.get(name) ?? gate();
    this.#gates.set(name, known);
    return known;
  }

  request(order: number): Promise<RecordedRequest> {
    const found = this.requests.find((request) => request.order === order);
    if (found) return Promise.resolve(found);
    const { promise, resolve } = Promise.withResolvers<RecordedRequest>();
    this.#waiting.set(order, resolve);
    return promise;
  }

  forget(): void {
    this.#queue = [];
    this.#gates.clear();
    this.#waiting.clear();
    this.requests.length = 0;
    this.problems.length = 0;
    this.#order = 0;
  }

  async serve(socket: Socket): Promise<void> {
    this.accepted += 1;
    const connection = this.accepted;
    this.sockets.add(socket);
    socket.setNoDelay(true);
    socket.on("error", () => undefined); // A reset by the client also closes: `gone` tells.
    const { promise: gone, resolve: leave } = Promise.withResolvers<void>();
    socket.on("end", leave);
    socket.on("close", () => {
      this.sockets.delete(socket);
      leave();
    });
    const line: Line = { socket, gone, openGate: (name) => this.gate(name).promise };
    const reader = new RequestReader(socket);
    while (await this.#exchange(reader, line, connection));
    socket.end();
  }

  /** One request and its answer; false when the connection is over. */
  async #exchange(reader: RequestReader, line: Line, connection: number): Promise<boolean> {
    const head = await reader.head();
    if (!head) return false;
    const early = this.#early(head);
    if (!early && /100-continue/i.test(head.headers["expect"] ?? "")) line.socket.write("HTTP/1.1 100 Continue\r\n\r\n");
    const body = early ? new Uint8Array(0) : await reader.body(head);
    if (await this.#options.intercept?.(head, body, line.socket)) return true;
    const { request, leave, end } = this.#record(head, body, connection);
    try {
      const rest = await playScript(early ?? this.#choose(request), head.method, line);
      end("played");
      if (rest === "closed" || early) return false;
      return !/\bclose\b/i.test(head.headers["connection"] ?? "");
    } catch (error) {
      if (!(error instanceof ClientGone)) throw error;
      request.goneAt = Date.now();
      leave();
      end("gone");
      return false;
    }
  }

  #record(
    head: Head,
    body: Uint8Array,
    connection: number,
  ): { request: RecordedRequest; leave: () => void; end: (how: ExchangeEnd) => void } {
    this.#order += 1;
    const { promise: gone, open: leave } = gate();
    const { promise: ended, resolve: end } = Promise.withResolvers<ExchangeEnd>();
    const text = () => new TextDecoder().decode(body);
    const request: RecordedRequest = {
      ...head,
      ...describe(head, body),
      order: this.#order,
      connection,
      receivedAt: Date.now(),
      body,
      text,
      json: (): unknown => JSON.parse(text()),
      gone,
      goneAt: undefined,
      ended,
    };
    this.requests.push(request);
    this.#waiting.get(request.order)?.(request);
    this.#waiting.delete(request.order);
    return { request, leave, end };
  }

  /** The next queued script, when it answers before the body. */
  #early(head: Head): Script | undefined {
    const next = this.#queue[0];
    if (next?.script.answerAt !== "head" || head.path.startsWith("/__control")) return undefined;
    return this.#take(next);
  }

  #take(queued: Queued): Script {
    queued.left -= 1;
    if (queued.left <= 0) this.#queue.splice(this.#queue.indexOf(queued), 1);
    return queued.script;
  }

  #choose(request: RecordedRequest): Script {
    const queued = this.#queue.find(({ model }) => model === undefined || model === request.model);
    if (queued) return this.#take(queued);
    const answer = this.#options.answer?.(request);
    if (answer !== undefined) return asScript(answer);
    const entry = request.model === undefined ? undefined : this.#byModel[request.model];
    if (entry !== undefined) {
      return asScript(typeof entry === "object" && "whole" in entry ? (request.stream ? entry.stream : entry.whole) : entry);
    }
    const problem = `no script for ${request.method} ${request.path} (model ${request.model ?? "not told"})`;
    this.problems.push(problem);
    return { status: 501, body: JSON.stringify({ error: { message: `replay upstream: ${problem}`, type: "server_error" } }) };
  }
}

/** Starts a replay upstream on 127.0.0.1. Choose answers with `play` (a queue), `answer` (a function) or `byModel`, in this order. */
export async function startUpstream(options: UpstreamOptions = {}): Promise<Upstream> {
  const replay = new ReplayUpstream(options);
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    replay.serve(socket).catch((error: unknown) => {
      socket.destroy();
      if (!(error instanceof ClientEnded)) replay.problems.push(String(error));
    });
  });
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(options.port ?? 0, "127.0.0.1", resolve);
  });
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("the upstream has no port");
  return {
    port: address.port,
    url: `http://127.0.0.1:${address.port}`,
    requests: replay.requests,
    problems: replay.problems,
    connections: () => replay.accepted,
    play: (answer, play) => replay.play(answer, play),
    setModels: (byModel) => replay.setModels(byModel),
    request: (order) => replay.request(order),
    openGate: (name) => replay.gate(name).open(),
    forget: () => replay.forget(),
    close: async () => {
      for (const socket of replay.sockets) socket.destroy();
      await new Promise<void>((resolve) => server.close(() => resolve()));
    },
  };
}
