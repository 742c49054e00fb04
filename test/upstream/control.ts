// The upstream as its own process, steered over HTTP under /__control: for real clients and for kill tests.
import type { Socket } from "node:net";
import { z } from "zod";
import type { Head } from "./request-reader";
import type { Answer, ByModel, Script } from "./script";
import { type RecordedRequest, startUpstream, type Upstream } from "./upstream";

const CONTROL = "/__control/";

const pauseSchema = z.union([z.literal("never"), z.strictObject({ ms: z.number() }), z.strictObject({ gate: z.string() })]);
const atByte = { afterBytes: z.number().int().nonnegative() };

const endingSchema = z.discriminatedUnion("kind", [
  z.strictObject({ kind: z.literal("whole") }),
  z.strictObject({ kind: z.literal("close-after") }),
  z.strictObject({ kind: z.literal("cut-before-headers") }),
  z.strictObject({ kind: z.literal("reset-before-headers") }),
  z.strictObject({ kind: z.literal("clean-end"), ...atByte }),
  z.strictObject({ kind: z.literal("cut"), ...atByte }),
  z.strictObject({ kind: z.literal("reset"), ...atByte }),
  z.strictObject({ kind: z.literal("torn-chunk"), ...atByte }),
  z.strictObject({ kind: z.literal("bad-chunk-size"), ...atByte }),
]);

const scriptSchema = z.strictObject({
  recording: z.string().optional(),
  composed: z.string().optional(),
  status: z.number().int().optional(),
  headers: z.record(z.string(), z.string()).optional(),
  body: z.string().optional(),
  append: z.string().optional(),
  fill: z.strictObject({ prefix: z.string(), unit: z.string(), total: z.number().int(), suffix: z.string() }).optional(),
  gzip: z.boolean().optional(),
  framing: z.enum(["length", "chunked", "close"]).optional(),
  pieces: z
    .union([
      z.enum(["whole", "recorded", "frames", "bytes"]),
      z.strictObject({ sizes: z.array(z.number().int()) }),
      z.strictObject({ seed: z.number().int() }),
    ])
    .optional(),
  answerAt: z.enum(["head", "body"]).optional(),
  beforeHeaders: pauseSchema.optional(),
  betweenPieces: pauseSchema.optional(),
  pauses: z.array(z.strictObject({ ...atByte, until: pauseSchema })).optional(),
  end: endingSchema.optional(),
  raw: z.string().optional(),
}) satisfies z.ZodType<Script>;

const answerSchema: z.ZodType<Answer> = z.union([z.string(), scriptSchema]);
const byModelSchema = z.record(z.string(), z.union([z.strictObject({ whole: answerSchema, stream: answerSchema }), answerSchema]));

const playSchema = z.strictObject({
  answer: answerSchema,
  model: z.string().optional(),
  times: z.union([z.number().int().positive(), z.literal("always")]).optional(),
});

/** A request as another process reads it. */
export interface ControlRequest {
  order: number;
  connection: number;
  method: string;
  path: string;
  headers: Readonly<Record<string, string>>;
  /** The body as text. */
  body: string;
  model: string | undefined;
  stream: boolean;
  /** Unix milliseconds. */
  receivedAt: number;
  goneAt: number | undefined;
}

const shown = (request: RecordedRequest): ControlRequest => ({
  order: request.order,
  connection: request.connection,
  method: request.method,
  path: request.path,
  headers: request.headers,
  body: request.text(),
  model: request.model,
  stream: request.stream,
  receivedAt: request.receivedAt,
  goneAt: request.goneAt,
});

/** Reads a model map (the `--map` file, PUT /__control/models). Throws for what it does not understand. */
export const parseByModel = (json: unknown): ByModel => byModelSchema.parse(json);

type Steer = (upstream: Upstream, body: () => unknown, argument: string) => unknown;

// Routes by "METHOD word"; what stands after the word in the path is the argument.
const ROUTES: Readonly<Record<string, Steer>> = {
  "POST play": (upstream, body) => {
    const { answer, model, times } = playSchema.parse(body());
    upstream.play(answer, { model, times });
    return { ok: true };
  },
  "PUT models": (upstream, body) => {
    upstream.setModels(parseByModel(body()));
    return { ok: true };
  },
  "GET requests": (upstream) => ({
    requests: upstream.requests.map(shown),
    problems: upstream.problems,
    connections: upstream.connections(),
  }),
  /** Answers when the request of this number has arrived. */
  "GET request": async (upstream, _body, order) => shown(await upstream.request(Number(order))),
  /** Answers when that exchange is over: "played" or "gone". */
  "GET ended": async (upstream, _body, order) => {
    const request = await upstream.request(Number(order));
    const ended = await request.ended;
    return { ended, ...shown(request) };
  },
  "POST gates": (upstream, _body, name) => {
    upstream.openGate(name);
    return { ok: true };
  },
  "POST forget": (upstream) => {
    upstream.forget();
    return { ok: true };
  },
};

function answer(socket: Socket, status: number, value: unknown): void {
  const body = Buffer.from(JSON.stringify(value));
  socket.write(
    `HTTP/1.1 ${status} ${status === 200 ? "OK" : "Refused"}\r\ncontent-type: application/json\r\ncontent-length: ${body.length}\r\n\r\n`,
  );
  socket.write(body);
}

/** An upstream that is also steered over HTTP. Answers under /__control are not recorded as requests. */
export async function startControlledUpstream(
  options: { port?: number | undefined; byModel?: ByModel | undefined } = {},
): Promise<Upstream> {
  const intercept = async (head: Head, bytes: Uint8Array, socket: Socket): Promise<boolean> => {
    if (!head.path.startsWith(CONTROL)) return false;
    const [word = "", ...rest] = head.path.slice(CONTROL.length).split("/");
    const route = ROUTES[`${head.method} ${word}`];
    try {
      if (!route) answer(socket, 404, { error: `no control "${head.method} ${word}"` });
      else
        answer(socket, 200, await route(upstream, () => JSON.parse(new TextDecoder().decode(bytes)), decodeURIComponent(rest.join("/"))));
    } catch (error) {
      answer(socket, 400, { error: String(error) });
    }
    return true;
  };
  const upstream = await startUpstream({ ...options, intercept });
  return upstream;
}
