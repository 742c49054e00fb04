// What stands between the provider's frames and the caller's bytes: a forwarder where both speak one dialect, else a
// decoder and an encoder with neutral events between them. The meter sees the same events either way.
import type { Failure } from "../core/failure";
import type { Ports } from "../core/ports";
import type { Dialect } from "../dialects/dialect";
import { openToolRestorer } from "../dialects/tool-names";
import type { Provider } from "../providers/provider";
import type { Frame } from "../wire/frame";
import { answerContext } from "./answer-context";
import { settledNow } from "./attempt-hold";
import { withoutCredential } from "./credential";
import { failureBody } from "./failure-body";
import { isForwarded } from "./operation";
import type { Work } from "./work";

export interface Translator {
  /** Bytes for the caller; none is an empty list. Throws `Failure`. */
  push(frame: Frame): readonly Uint8Array[];
  /** The provider ended. Throws `stream_truncated` if it had not finished. */
  end(): readonly Uint8Array[];
  /** The dialect's error event, without its terminator. */
  fail(failure: Failure): Uint8Array;
  /** The provider's terminator was read: what follows is nothing to the caller. */
  readonly done: boolean;
}

export function openTranslator(work: Work, ports: Ports, dialect: Dialect, provider: Provider): Translator {
  const { planned, attempt, door, meter } = work;
  const context = answerContext(planned, attempt, ports, (usage) => {
    if (usage) meter.see([{ type: "usage", usage }]);
    const before = meter.ending;
    meter.ending = "complete";
    const settled = settledNow(planned, attempt, meter);
    meter.ending = before;
    return settled;
  });
  const facts = (failure: Failure) => failureBody(withoutCredential(failure, attempt.connection), planned.requestId);
  const bytesOf = (text: string): Uint8Array[] => (text === "" ? [] : [new TextEncoder().encode(text)]);

  if (isForwarded(planned.request, provider, dialect, door)) {
    const forwarder = door.dialect.openForwarder(context, provider.deviations);
    const through = (out: { bytes: readonly Uint8Array[]; events: Parameters<typeof meter.see>[0] }): readonly Uint8Array[] => {
      meter.see(out.events);
      return out.bytes;
    };
    return {
      push: (frame) => through(forwarder.push(frame)),
      end: () => through(forwarder.end()),
      fail: (failure) => new TextEncoder().encode(forwarder.fail(facts(failure))),
      get done() {
        return forwarder.done;
      },
    };
  }

  const decoder = dialect.openStream(provider.deviations);
  const encoder = door.dialect.openEncoder(context);
  const restorer = openToolRestorer(planned.request);
  const write = (events: Parameters<typeof meter.see>[0]): string => {
    meter.see(events);
    let text = "";
    for (const event of events) {
      if (!restorer) text += encoder.push(event);
      else for (const restored of restorer.push(event)) text += encoder.push(restored);
    }
    return text;
  };
  return {
    push: (frame) => bytesOf(write(decoder.push(frame))),
    end: () => bytesOf(write(decoder.end()) + encoder.end()),
    fail: (failure) => new TextEncoder().encode(encoder.fail(facts(failure))),
    get done() {
      return decoder.done;
    },
  };
}
