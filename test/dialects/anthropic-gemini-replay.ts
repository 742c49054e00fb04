// Plays a recorded answer through a dialect, as the gateway would: whole, or a stream cut where the test says.
import type { ChatEvent } from "../../src/core/chat";
import { Failure } from "../../src/core/failure";
import type { Dialect } from "../../src/dialects/dialect";
import type { Recording } from "../recordings/load";

export const contentType = (recording: Recording): string => recording.headers.get("content-type") ?? "";

/** A stream by its request: Gemini's JSON-array streams have the content type and the file name of whole answers. */
export const isStream = (recording: Recording): boolean =>
  recording.status < 400 && (recording.stream || recording.path.includes(":streamGenerateContent"));

export const bodyText = (recording: Recording): string => new TextDecoder().decode(recording.body);

/** Events of a stream whose bytes come in these pieces. */
export function streamed(dialect: Dialect, type: string, pieces: readonly Uint8Array[]): ChatEvent[] {
  const framer = dialect.openFramer(type);
  if (!framer) throw new Error(`No framer for ${type}`);
  const decoder = dialect.openStream({});
  const events: ChatEvent[] = [];
  for (const piece of pieces) for (const frame of framer.push(piece)) events.push(...decoder.push(frame));
  for (const frame of framer.end()) events.push(...decoder.push(frame));
  return [...events, ...decoder.end()];
}

/** Events of a recorded answer, whole or streamed. */
export function answered(dialect: Dialect, recording: Recording): ChatEvent[] {
  return isStream(recording) ? streamed(dialect, contentType(recording), [recording.body]) : dialect.decodeResponse(bodyText(recording));
}

/** What happens: the events, or the failure that they end in. */
export function outcome(run: () => ChatEvent[]): ChatEvent[] | { code: string; message: string } {
  try {
    return run();
  } catch (thrown) {
    if (thrown instanceof Failure) return { code: thrown.code, message: thrown.message };
    throw thrown;
  }
}

/** The failure that a step must throw. */
export function failureOf(run: () => unknown): Failure {
  try {
    run();
  } catch (thrown) {
    if (thrown instanceof Failure) return thrown;
    throw thrown;
  }
  throw new Error("Nothing was thrown");
}

type Of<T extends ChatEvent["type"]> = Extract<ChatEvent, { type: T }>;

export const ofType = <T extends ChatEvent["type"]>(events: readonly ChatEvent[], type: T): Of<T>[] =>
  events.filter((event): event is Of<T> => event.type === type);

export const textOfAnswer = (events: readonly ChatEvent[], choice = 0): string =>
  ofType(events, "text")
    .filter((event) => event.choice === choice)
    .map(({ text }) => text)
    .join("");

/** Usage less what was not said, so that tests can write down what was. */
export const usageOfAnswer = (events: readonly ChatEvent[]): Record<string, unknown> =>
  Object.fromEntries(
    ofType(events, "usage")
      .flatMap(({ usage }) => Object.entries(usage))
      .filter(([, value]) => value !== undefined),
  );
