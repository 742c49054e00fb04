// A provider's stream on its way to the caller, driven to its end whatever happens, so that its attempt is settled.
// After the first byte nothing is tried again: what breaks then is told in the stream.
import { asFailure, Failure } from "../core/failure";
import type { Ports } from "../core/ports";
import type { Framer } from "../wire/frame";
import { onStopping } from "./stopping";
import type { Translator } from "./translator";
import type { Work } from "./work";

export interface LiveStreamParts {
  readonly reader: ReadableStreamDefaultReader<Uint8Array>;
  readonly framer: Framer;
  readonly translator: Translator;
  readonly work: Work;
  readonly ports: Ports;
  /** Closes the connection to the provider. */
  abort(): void;
  readonly callerSignal: AbortSignal;
  readonly onCallerGone: "cancel" | "drain";
}

/** How long a provider may take to close its connection after its terminator, so that the connection can be used again. */
const CLOSE_GRACE_MS = 1_000;

type Waiting = "provider" | "caller";

export class LiveStream {
  /** Resolves when the attempt may be settled. Never rejects. */
  readonly finished: Promise<void>;
  readonly #parts: LiveStreamParts;
  readonly #resolveFinished: () => void;
  #ready: Uint8Array[] = [];
  /** Decoded bytes of the provider so far. */
  #readBytes = 0;
  #over = false;
  #callerGone = false;
  /** Why we closed the connection ourselves. */
  #reason: Failure | undefined;
  #waiting: Waiting = "provider";
  #waitingSince: number;
  #cancelWatch: (() => void) | undefined;
  #cut: (() => void) | undefined;
  #stayed: (() => void) | undefined;
  #filling: Promise<void> | undefined;

  constructor(parts: LiveStreamParts) {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.finished = promise;
    this.#resolveFinished = resolve;
    this.#parts = parts;
    this.#waitingSince = parts.ports.clock.elapsedMs();
  }

  /** Waits for the first bytes that belong to an answer. Throws what another target may be tried for. */
  async first(): Promise<void> {
    const held: Uint8Array[] = [];
    try {
      for (let answered = false; !answered; ) answered = await this.#step(held);
    } catch (thrown) {
      const { meter } = this.#parts.work;
      // The provider says that it failed before it said anything else: an error answer, whatever its status was.
      if (thrown instanceof Failure && thrown.says && meter.usage === undefined && meter.countOutputTokens() === 0)
        meter.ending = "rejected";
      this.#letGo();
      throw this.#explain(thrown);
    }
    this.#ready = held;
    if (this.#over) return;
    this.#watch();
    const { callerSignal, ports } = this.#parts;
    if (callerSignal.aborted) this.callerGone();
    else callerSignal.addEventListener("abort", this.#onCallerGone, { once: true });
    this.#stayed = onStopping(ports.stopping, () => this.endWith(new Failure("overloaded", "The gateway is stopping.")));
  }

  readonly #onCallerGone = (): void => this.callerGone();

  /** Tells the caller why, as soon as it reads on: a pending read ends with the connection. */
  endWith(failure: Failure): void {
    if (this.#over) return;
    this.#reason = failure;
    if (this.#filling) this.#parts.abort();
    else this.#fail(failure);
  }

  /** Called when the stream is cut under a caller that does not read. */
  onCut(cut: () => void): void {
    this.#cut = cut;
  }

  /** The next bytes for the caller; undefined: the stream is over. Never rejects. */
  async next(): Promise<Uint8Array | undefined> {
    if (this.#ready.length === 0 && !this.#over) await this.#fill();
    const bytes = joined(this.#ready);
    this.#ready = [];
    this.#wait("caller");
    return bytes;
  }

  /** The caller left. Providers that bill anyway are listened to for a while, for their usage. */
  callerGone(): void {
    if (this.#over || this.#callerGone) return;
    this.#callerGone = true;
    this.#parts.work.meter.flags.add("caller_gone");
    if (this.#parts.onCallerGone === "cancel") this.#break(new Failure("upstream_error", "The caller left."));
    else void this.#drain();
  }

  /** One reader at a time: whoever asks meanwhile waits for the same bytes. */
  #fill(): Promise<void> {
    this.#filling ??= this.#readOn().finally(() => {
      this.#filling = undefined;
    });
    return this.#filling;
  }

  async #readOn(): Promise<void> {
    this.#wait("provider");
    try {
      while (this.#ready.length === 0 && !this.#over) await this.#step(this.#ready);
    } catch (thrown) {
      this.#fail(thrown);
    }
  }

  /** Reads once. True: something that belongs to the answer was written to `out`, or the stream is over. */
  async #step(out: Uint8Array[]): Promise<boolean> {
    const { reader, framer, translator, work, ports } = this.#parts;
    const { done, value } = await reader.read();
    this.#waitingSince = ports.clock.elapsedMs();
    this.#readBytes += value?.length ?? 0;
    const { maxAnswerBytes } = ports.settings.limits;
    if (this.#readBytes > maxAnswerBytes)
      throw new Failure("upstream_error", `The provider's answer is larger than ${maxAnswerBytes} bytes.`);
    let answered = false;
    for (const frame of done ? framer.end() : framer.push(value)) {
      if (frame.data !== undefined && work.meter.firstChunkMs === undefined) work.meter.firstChunkMs = this.#waitingSince;
      const bytes = translator.push(frame);
      out.push(...bytes);
      if (bytes.length > 0 && frame.data !== undefined) answered = true;
      if (translator.done) break;
    }
    if (!done && !translator.done) return answered;
    out.push(...translator.end());
    work.meter.ending = "complete";
    this.#finish();
    if (!done) void this.#awaitClose();
    return true;
  }

  #fail(thrown: unknown): void {
    if (this.#over) return;
    const failure = this.#explain(thrown);
    this.#parts.work.meter.errorCode = failure.code;
    this.#ready.push(this.#parts.translator.fail(failure));
    this.#letGo();
  }

  #explain(thrown: unknown): Failure {
    if (this.#reason) return this.#reason;
    if (thrown instanceof Failure) return thrown;
    if (thrown instanceof Error) {
      return new Failure("stream_truncated", "The connection to the provider broke in the middle of its answer.", { cause: thrown });
    }
    return asFailure(thrown);
  }

  /** Ends everything now, with nothing more to write. */
  #break(failure: Failure): void {
    if (this.#over) return;
    this.#parts.work.meter.errorCode = failure.code;
    this.#letGo();
  }

  /** The reader first, then the connection, then the references: a kept reader holds its buffers. */
  #letGo(): void {
    this.#finish();
    this.#parts.reader.cancel().catch((error: unknown) => this.#parts.ports.log.write("debug", "cancel_failed", { error: String(error) }));
    this.#parts.abort();
  }

  #finish(): void {
    this.#over = true;
    this.#cancelWatch?.();
    this.#parts.callerSignal.removeEventListener("abort", this.#onCallerGone);
    this.#stayed?.();
    this.#resolveFinished();
  }

  /** Reads on after the terminator until the provider closes, so that its connection goes back to the pool. */
  async #awaitClose(): Promise<void> {
    const { reader, ports, abort } = this.#parts;
    const cancel = ports.clock.after(CLOSE_GRACE_MS, abort);
    try {
      while (!(await reader.read()).done);
    } catch (thrown) {
      ports.log.write("debug", "close_after_end", { error: String(thrown) });
    } finally {
      cancel();
    }
  }

  async #drain(): Promise<void> {
    const { ports } = this.#parts;
    const cancel = ports.clock.after(ports.settings.deadlines.drainMs, () =>
      this.#break(new Failure("upstream_timeout", "The caller left, and the provider did not finish in time.")),
    );
    while (!this.#over) {
      await this.#fill();
      this.#ready = [];
    }
    cancel();
  }

  #wait(whom: Waiting): void {
    this.#waiting = whom;
    this.#waitingSince = this.#parts.ports.clock.elapsedMs();
  }

  /** One timer a stream looks after both silences, instead of one per chunk. */
  #watch(): void {
    const { clock, settings } = this.#parts.ports;
    const { idleGapMs, writeStallMs } = settings.deadlines;
    this.#cancelWatch = clock.after(Math.min(idleGapMs, writeStallMs) / 4, () => {
      if (this.#over) return;
      const silentMs = clock.elapsedMs() - this.#waitingSince;
      if (this.#waiting === "provider" && silentMs >= idleGapMs) {
        this.endWith(new Failure("upstream_timeout", "The provider went silent in the middle of its answer."));
      } else if (this.#waiting === "caller" && !this.#callerGone && silentMs >= writeStallMs) {
        this.#parts.work.meter.flags.add("caller_gone");
        this.#break(new Failure("request_timeout", "The caller stopped reading."));
        this.#cut?.();
        return;
      }
      this.#watch();
    });
  }
}

function joined(pieces: readonly Uint8Array[]): Uint8Array | undefined {
  if (pieces.length <= 1) return pieces[0];
  const whole = new Uint8Array(pieces.reduce((sum, piece) => sum + piece.length, 0));
  let at = 0;
  for (const piece of pieces) {
    whole.set(piece, at);
    at += piece.length;
  }
  return whole;
}
