// accept: the request is named, timed, bounded, read whole and parsed once. A caller without a well-formed key is
// turned away before a byte of its body is read.

import { brandHeader } from "../core/brand";
import type { Accepted, Arrived, Hints } from "../core/exchange";
import { Failure } from "../core/failure";
import { parseKey } from "../core/ids";
import type { Ports } from "../core/ports";
import { Secret } from "../core/secret";
import type { Settings } from "../core/settings";
import { readBody } from "../wire/body-limit";
import { scanJson } from "../wire/json-scan";
import type { Door } from "./door";

const TAG = /^[A-Za-z0-9_.:-]{1,64}$/;
const MAX_DEPTH = 64;
const UTF8 = new TextDecoder("utf-8", { fatal: true });
/** Limits that a caller relies on: refused as long as they are not kept. */
const BINDING_HINTS = ["region", "run-budget-usd", "run-max-steps", "run-max-seconds"] as const;
/** Wishes: named in the answer as ignored. */
const FREE_HINTS = ["mode", "intent", "latency-ms-max", "criticality", "run-parent"] as const;

export function arrive(door: Door, ports: Ports): Arrived {
  return { door: door.name, requestId: ports.ids.requestId(), receivedAt: ports.clock.now(), startedMs: ports.clock.elapsedMs() };
}

/** Throws 401, 408, 413 and 400 (`invalid_json`, `invalid_type`, `invalid_tag`). */
export async function accept(arrived: Arrived, request: Request, ports: Ports): Promise<Accepted> {
  const presentedKey = presentKey(request.headers, ports.settings);
  const hints = readHints(request.headers, ports.settings);
  const bytes = await readWhole(request, ports);
  return { ...arrived, presentedKey, hints, bytes, json: parseObject(bytes) };
}

/** The key as the caller presents it. Only its shape and checksum are looked at: no look-up, no timing to learn from. */
export function presentKey(headers: Headers, settings: Settings): Secret {
  const bearer = /^Bearer +(\S+)$/i.exec(headers.get("authorization") ?? "")?.[1];
  const presented = bearer ?? headers.get("x-api-key") ?? headers.get("x-goog-api-key");
  const { keyPrefix } = settings.brand;
  if (!presented) {
    throw new Failure("invalid_api_key", `No API key came with the request. Send it as "Authorization: Bearer ${keyPrefix}_live_…".`);
  }
  if (!parseKey(keyPrefix, presented)) {
    throw new Failure(
      "invalid_api_key",
      `This is not a key of this gateway. Its keys begin with ${keyPrefix}_live_ or ${keyPrefix}_test_ and end with a checksum.`,
    );
  }
  return new Secret(presented);
}

function readHints(headers: Headers, { brand }: Settings): Hints {
  const own = brandHeader(brand, "");
  let given: Map<string, string> | undefined;
  headers.forEach((value, name) => {
    if (!name.startsWith(own)) return;
    given ??= new Map();
    given.set(name.slice(own.length), value);
  });
  const clientRequestId = headers.get("x-client-request-id")?.slice(0, 128) ?? undefined;
  if (!given) return { unheeded: [], clientRequestId };
  const said = given;
  const read = (name: string): string | undefined => {
    const value = said.get(name);
    if (value === undefined || TAG.test(value)) return value;
    throw new Failure("invalid_tag", `${own}${name} takes 1 to 64 characters of A-Z a-z 0-9 _ . : -`, { param: own + name });
  };
  for (const name of BINDING_HINTS) {
    if (said.has(name))
      throw new Failure("unsupported_parameter", `${own}${name} limits the call, and is not supported yet.`, { param: own + name });
  }
  return {
    unheeded: FREE_HINTS.filter((name) => said.has(name)).map((name) => own + name),
    tag: read("tag"),
    agent: read("agent"),
    run: read("run"),
    user: read("user"),
    clientRequestId,
  };
}

async function readWhole(request: Request, ports: Ports): Promise<Uint8Array> {
  const { maxBodyBytes } = ports.settings.limits;
  const announced = request.headers.get("content-length");
  if (announced !== null && Number(announced) > maxBodyBytes) throw tooLarge(maxBodyBytes);
  const { bodyMs } = ports.settings.deadlines;
  const late = (): Failure => new Failure("request_timeout", `The body did not arrive within ${bodyMs} ms.`);
  try {
    // An announced length bounds the buffer; a body of unknown length is counted as it comes.
    if (announced !== null) return new Uint8Array(await within(request.arrayBuffer(), bodyMs, late, ports));
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
  let text: string;
  try {
    text = UTF8.decode(bytes);
  } catch (cause) {
    throw new Failure("invalid_json", "The body is not valid UTF-8.", { cause });
  }
  scanJson(bytes, { maxDepth: MAX_DEPTH });
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (cause) {
    throw new Failure("invalid_json", "The body is not valid JSON.", { cause });
  }
  if (typeof json !== "object" || json === null || Array.isArray(json)) {
    throw new Failure("invalid_type", "The body must be a JSON object.");
  }
  return json as Record<string, unknown>;
}
