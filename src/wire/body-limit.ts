// A body is read whole, but never more of it than allowed: decoded bytes are counted as they come.
import { Failure } from "../core/failure";
import { HeldBytes } from "./bytes-held";

/**
 * All bytes of a body; empty where there is none. Throws `Failure` `request_too_large` beyond `maxBytes`, and the signal's
 * reason when it aborts. The stream is cancelled on every way out but the good one.
 */
export async function readBody(body: ReadableStream<Uint8Array> | undefined, maxBytes: number, signal: AbortSignal): Promise<Uint8Array> {
  if (!body) return new Uint8Array(0);
  signal.throwIfAborted();
  const reader = body.getReader();
  // Cancelling makes a pending read end; the loop below then sees the signal.
  const abort = () => void reader.cancel(signal.reason).catch(ignoreSecondFault);
  signal.addEventListener("abort", abort, { once: true });
  try {
    return await readAll(reader, maxBytes, signal);
  } catch (thrown) {
    void reader.cancel(thrown).catch(ignoreSecondFault);
    throw thrown;
  } finally {
    signal.removeEventListener("abort", abort);
    reader.releaseLock();
  }
}

/** A stream that fails while it is being given up has nothing new to say: the first fault is the one thrown. */
const ignoreSecondFault = (): undefined => undefined;

async function readAll(reader: ReadableStreamDefaultReader<Uint8Array>, maxBytes: number, signal: AbortSignal): Promise<Uint8Array> {
  const held = new HeldBytes();
  let only: Uint8Array | undefined;
  for (;;) {
    const { done, value } = await reader.read();
    signal.throwIfAborted();
    if (done) break;
    if (value.length === 0) continue;
    const already = only?.length ?? held.length;
    if (already + value.length > maxBytes) throw new Failure("request_too_large", `The body is larger than ${maxBytes} bytes`);
    if (already === 0) {
      only = value;
      continue;
    }
    if (only) held.append(only);
    only = undefined;
    held.append(value);
  }
  return only ?? held.take();
}
