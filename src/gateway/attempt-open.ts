// One attempt, from the request that goes out to the first that is known of its answer. Runs inside withHold.
import type { Outgoing } from "../core/exchange";
import { asFailure, Failure } from "../core/failure";
import type { NanoUsd } from "../core/money";
import { DialError, type DialRequest, type DialResponse, type HeaderView, type Ports } from "../core/ports";
import type { Secret } from "../core/secret";
import type { Usage } from "../core/usage";
import type { AnswerContext, Dialect } from "../dialects/dialect";
import { openToolRestorer } from "../dialects/tool-names";
import type { Provider } from "../providers/provider";
import { providerNamed } from "../providers/registry";
import { answerContext } from "./answer-context";
import { settledNow } from "./attempt-hold";
import { withoutCredential } from "./credential";
import type { CutSwitch } from "./cut";
import { LiveStream } from "./live-stream";
import type { Meter } from "./meter";
import { isForwarded, plannedDialect } from "./operation";
import { passedHeaders } from "./passed-headers";
import { onStopping } from "./stopping";
import { openTranslator } from "./translator";
import type { Work } from "./work";

export type FirstAnswer =
  | {
      kind: "whole";
      body: Uint8Array | string;
      costUsd: NanoUsd | undefined;
      usage: Usage | undefined;
      headers: HeaderView;
    }
  | { kind: "stream"; live: LiveStream; headers: HeaderView }
  | FailedAnswer;

export type FailedAnswer = { kind: "failed"; failure: Failure; retry: "same" | "elsewhere" | "never" };

/** An error answer's body is read up to here, for its message. */
const MAX_ERROR_BYTES = 256 * 1024;

/** Throws what goes wrong; `failedAttempt` says what that means for the next attempt. */
export async function openAnswer(work: Work, ports: Ports, callerSignal: AbortSignal): Promise<FirstAnswer> {
  const provider = providerNamed(work.attempt.target.provider);
  const dialect = plannedDialect(provider, work.door);
  const { deadlines } = ports.settings;
  const stream = work.planned.request.stream;
  const watch = watchAttempt(work.cut, ports, callerSignal, provider, stream ? deadlines.firstChunkMs : deadlines.answerMs);
  try {
    let response = await dial(work, provider, work.attempt.connection?.credential, ports, watch.signal);
    if (isRejection(response)) {
      const failed = await rejected(work, provider, dialect, response);
      const older = failed.failure.code === "provider_auth_failed" ? work.attempt.connection?.older : undefined;
      if (older === undefined) return failed;
      // In the middle of a rotation the provider may not know the new credential yet. What it refused for that, it has not billed.
      noteOlder(work, ports);
      response = await dial(work, provider, older, ports, watch.signal);
      if (isRejection(response)) return await rejected(work, provider, dialect, response);
    }
    if (stream) return await openStream({ ...work, provider, dialect, response, watch, callerSignal }, ports);
    return await readWhole({ ...work, provider, dialect, response }, ports);
  } catch (thrown) {
    const explained = watch.explain(thrown, work.meter);
    throw explained instanceof Failure ? withoutCredential(explained, work.attempt.connection) : explained;
  } finally {
    watch.stop();
  }
}

/** What a failed attempt means: its failure is noted on the meter, and the class of retry is told. */
export function failedAttempt(thrown: unknown, meter: Meter): FailedAnswer {
  if (thrown instanceof DialError) {
    const answering = meter.upstreamStatus !== undefined;
    const says = answering ? "The provider's answer broke off." : "The provider could not be reached.";
    const failure = new Failure("upstream_error", says, { cause: thrown });
    meter.errorCode = failure.code;
    if (thrown.kind === "reset") meter.flags.add("maybe_billed");
    // A provider that had begun to answer has billed: asking it again would be billed again.
    return { kind: "failed", failure, retry: thrown.kind === "aborted" ? "never" : answering ? "elsewhere" : "same" };
  }
  const failure = asFailure(thrown);
  meter.errorCode = failure.code;
  if (failure.code === "upstream_error" && meter.upstreamStatus === 200 && !meter.flags.has("caller_gone")) meter.flags.add("malformed");
  return { kind: "failed", failure, retry: meter.flags.has("caller_gone") ? "never" : failure.row.retry };
}

const isRejection = (response: DialResponse): boolean => response.status < 200 || response.status > 299;

function noteOlder({ attempt, planned, meter }: Work, ports: Ports): void {
  meter.errorCode = undefined;
  const { provider } = attempt.target;
  ports.log.write("warn", "older_credential_used", {
    request_id: planned.requestId,
    provider,
    credential: attempt.connection?.credentialId,
  });
}

async function dial(work: Work, provider: Provider, secret: Secret | undefined, ports: Ports, signal: AbortSignal): Promise<DialResponse> {
  const { outgoing } = work.attempt.target;
  const { connection } = work.attempt;
  // It was there when the call was planned: an operator has removed it since.
  if (!connection && !provider.inProcess) throw new Failure("no_available_provider", "The provider's account is not connected any more.");
  const { auth } = provider;
  const request: DialRequest = {
    url: `${connection?.baseUrl ?? provider.baseUrl}${outgoing.path}`,
    method: "POST",
    headers: requestHeaders(provider, outgoing, work.planned.request.stream),
    credential: secret && {
      header: auth.scheme === "bearer" ? "authorization" : auth.name,
      prefix: auth.scheme === "bearer" ? "Bearer " : "",
      secret,
    },
    body: outgoing.body,
  };
  try {
    const response = provider.inProcess ? await provider.inProcess(request, ports.clock, signal) : await ports.dial.send(request, signal);
    work.meter.upstreamStatus = response.status;
    work.meter.ending = "broken"; // Until it is seen to be anything better.
    return response;
  } catch (thrown) {
    if (!(thrown instanceof DialError && thrown.kind === "refused")) work.meter.ending = "broken";
    throw thrown;
  }
}

function requestHeaders(provider: Provider, outgoing: Outgoing, stream: boolean): Record<string, string> {
  const headers: Record<string, string> = { "content-type": "application/json", accept: stream ? "text/event-stream" : "application/json" };
  for (const name in provider.headers) headers[name] = provider.headers[name] as string;
  for (const name in outgoing.headers) headers[name] = outgoing.headers[name] as string;
  return headers;
}

async function rejected(work: Work, provider: Provider, dialect: Dialect, response: DialResponse): Promise<FailedAnswer> {
  work.meter.ending = "rejected";
  let body = "";
  try {
    body = new TextDecoder().decode(await response.bytes(MAX_ERROR_BYTES));
  } catch (thrown) {
    // The status alone says enough: an error's body that breaks off is no second error.
    if (!(thrown instanceof Failure || thrown instanceof DialError)) throw thrown;
  }
  const { failure: told, retry } = dialect.decodeError(response.status, response.headers, body);
  // A provider of the caller's own dialect names a field as the caller did; names of other dialects come as ours.
  const theirs = dialect.name === work.door.dialect.name ? told.says?.param : told.param && work.planned.nameOf(told.param);
  const failure = theirs === undefined || theirs === told.param ? told : told.with({ param: theirs });
  work.meter.errorCode = failure.code;
  const { connection } = work.attempt;
  const headers = passedHeaders(provider, response.headers, connection);
  return { kind: "failed", failure: withoutCredential(failure, connection).with({ headers }), retry };
}

/** Who answered what. */
interface AnswerWork extends Work {
  readonly provider: Provider;
  readonly dialect: Dialect;
  readonly response: DialResponse;
}

async function readWhole(work: AnswerWork, ports: Ports): Promise<FirstAnswer> {
  const { planned, attempt, door, meter, provider, dialect, response } = work;
  if (!/json/.test(response.headers.get("content-type") ?? "")) {
    throw new Failure("upstream_error", "The provider's answer is not JSON.");
  }
  const bytes = await response.bytes(ports.settings.limits.maxAnswerBytes);
  meter.firstChunkMs = ports.clock.elapsedMs();
  const forwards = isForwarded(planned.request, providerNamed(attempt.target.provider), dialect, door);
  // The writers ask for the stamp when they have read the answer: by then its usage is known, or counted from its text.
  const context = answerContext(planned, attempt, ports, (usage) => {
    const told = usage?.inputTokens !== undefined && usage.outputTokens !== undefined;
    if (forwards && !told) meter.seeWhole(dialect.decodeResponse(new TextDecoder().decode(bytes), provider.deviations));
    if (usage) meter.see([{ type: "usage", usage }]);
    meter.ending = "complete";
    meter.final = settledNow(planned, attempt, meter);
    return meter.final;
  });
  try {
    const body = forwards ? forwardWhole(work, bytes, context) : translateWhole(work, bytes, context);
    meter.ending = "complete";
    const { cost, usage } = meter.final ?? settledNow(planned, attempt, meter);
    return { kind: "whole", body, costUsd: cost, usage, headers: response.headers };
  } catch (thrown) {
    meter.ending = "broken";
    meter.final = undefined;
    throw thrown;
  }
}

function forwardWhole({ door, provider, meter }: AnswerWork, bytes: Uint8Array, context: AnswerContext): Uint8Array {
  const { bytes: spliced, events } = door.dialect.forwardResponse(bytes, context, provider.deviations);
  meter.seeWhole(events);
  return spliced;
}

function translateWhole({ door, provider, dialect, meter }: AnswerWork, bytes: Uint8Array, context: AnswerContext): string {
  const events = dialect.decodeResponse(new TextDecoder().decode(bytes), provider.deviations);
  meter.seeWhole(events);
  const restorer = openToolRestorer(context.request);
  return door.dialect.encodeResponse(restorer ? events.flatMap((event) => restorer.push(event)) : events, context);
}

interface StreamWork extends AnswerWork {
  readonly watch: AttemptWatch;
  readonly callerSignal: AbortSignal;
}

async function openStream(work: StreamWork, ports: Ports): Promise<FirstAnswer> {
  const { provider, dialect, response, watch, callerSignal } = work;
  const framer = dialect.openFramer(response.headers.get("content-type") ?? "");
  if (!framer || !response.body) throw new Failure("upstream_error", "The provider's answer is not a stream of events.");
  const translator = openTranslator(work, ports, dialect, provider);
  const live = new LiveStream({
    reader: response.body.getReader(),
    framer,
    translator,
    work,
    ports,
    abort: watch.abort,
    callerSignal,
    onCallerGone: provider.onCallerGone,
  });
  await live.first();
  work.cut.hear((why) => live.endWith(why));
  return { kind: "stream", live, headers: response.headers };
}

interface AttemptWatch {
  readonly signal: AbortSignal;
  abort(): void;
  /** The first answer is there: the deadline and the caller's signal no longer end the attempt (a stream has its own). */
  stop(): void;
  /** What an abort of ours meant. */
  explain(thrown: unknown, meter: Meter): unknown;
}

/** Ends an attempt at its deadline, and when the caller leaves a provider that stops billing then. */
function watchAttempt(cut: CutSwitch, ports: Ports, callerSignal: AbortSignal, provider: Provider, deadlineMs: number): AttemptWatch {
  const controller = new AbortController();
  let late = false;
  const left = (): void => controller.abort();
  const heedsCaller = provider.onCallerGone === "cancel";
  if (heedsCaller && callerSignal.aborted) left();
  if (heedsCaller) callerSignal.addEventListener("abort", left, { once: true });
  cut.hear(left);
  const stayed = onStopping(ports.stopping, left);
  const cancel = ports.clock.after(deadlineMs, () => {
    late = true;
    controller.abort();
  });
  return {
    signal: controller.signal,
    abort: () => controller.abort(),
    stop() {
      cancel();
      stayed();
      if (heedsCaller) callerSignal.removeEventListener("abort", left);
    },
    explain(thrown, meter) {
      if (cut.why) return cut.why;
      if (late) return new Failure("upstream_timeout", `The provider did not answer within ${deadlineMs} ms.`, { cause: thrown });
      if (ports.stopping.aborted) return new Failure("overloaded", "The gateway is stopping.", { cause: thrown });
      if (callerSignal.aborted && controller.signal.aborted) {
        meter.flags.add("caller_gone");
        return new Failure("upstream_error", "The caller left before the answer came.", { cause: thrown });
      }
      return thrown;
    },
  };
}
