// receive: the body is read whole, bounded in size, time and depth, and parsed once. Only a caller whose key is known gets here:
// nobody else's body is read.
import type { Authenticated, Received } from "../core/exchange";
import { Failure } from "../core/failure";
import type { Ports } from "../core/ports";
import { parseRequestJson } from "../dialects/request-json";
import { readBody } from "../wire/body-limit";
import { scanJson } from "../wire/json-scan";
import { withBodyHints } from "./body-hints";

const MAX_DEPTH = 64;
const UTF8 = new TextDecoder("utf-8", { fatal: true });

/** Throws 408, 413 and 400 (`invalid_json`, `invalid_type`). */
export async function receive(authenticated: Authenticated, request: Request, ports: Ports): Promise<Received> {
  const bytes = await readWhole(request, ports);
  const json = parseObject(bytes);
  const hints = withBodyHints(authenticated.hints, json, ports.settings.brand.namespace);
  return { ...authenticated, bytes, json, hints };
}

async function readWhole(request: Request, ports: Ports): Promise<Uint8Array> {
  const { maxBodyBytes } = ports.settings.limits;
  const announced = request.headers.get("content-length");
  if (announced !== null && Number(announced) > maxBodyBytes) throw tooLarge(maxBodyBytes);
  const { bodyMs } = ports.settings.deadlines;
  const late = (): Failure => new Failure("request_timeout", `The body did not arrive within ${bodyMs} ms.`);
  try {
    // An announced length bounds the buffer; a body of unknown length is counted as it comes.
    if (announced !== null) return await within(request.bytes(), bodyMs, late, ports);
    const deadline = new AbortController();
    const reading = readBody(request.body ?? undefined, maxBodyBytes, deadline.signal);
    return await within(
      reading,
      bodyMs,
      () => {
        deadline.abort();
        return late();
      },
      ports,
    );
  } catch (thrown) {
    if (thrown instanceof Failure) throw thrown.code === "request_too_large" ? tooLarge(maxBodyBytes) : thrown;
    throw new Failure("invalid_json", "The body ended before it was whole.", { cause: thrown });
  }
}

/** The work's result, or the failure that `late` makes when it takes longer. */
function within<T>(work: Promise<T>, ms: number, late: () => Failure, ports: Ports): Promise<T> {
  return new Promise((resolve, reject) => {
    const cancel = ports.clock.after(ms, () => reject(late()));
    work.then(
      (result) => {
        cancel();
        resolve(result);
      },
      (error: unknown) => {
        cancel();
        reject(error);
      },
    );
  });
}

const tooLarge = (maxBytes: number): Failure =>
  new Failure("request_too_large", `The body is larger than ${maxBytes} bytes, the limit of this gateway (TOLLWAY_MAX_BODY_MB).`);

function parseObject(bytes: Uint8Array): Readonly<Record<string, unknown>> {
  if (bytes.length === 0) throw new Failure("invalid_json", "The body is empty; a JSON object is expected.");
  // A decoder swallows it, and the bytes that go on would still have it.
  if (bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf) {
    throw new Failure("invalid_json", "The body begins with a byte order mark; JSON has none.");
  }
  let text: string;
  try {
    text = UTF8.decode(bytes);
  } catch (cause) {
    throw new Failure("invalid_json", "The body is not valid UTF-8.", { cause });
  }
  scanJson(bytes, { maxDepth: MAX_DEPTH });
  let json: unknown;
  try {
    json = parseRequestJson(text);
  } catch (cause) {
    throw new Failure("invalid_json", "The body is not valid JSON.", { cause });
  }
  if (typeof json !== "object" || json === null || Array.isArray(json)) {
    throw new Failure("invalid_type", "The body must be a JSON object.");
  }
  return json as Record<string, unknown>;
}
