// accept: the request is named and timed, and its head is read.
import type { Accepted, Arrived, Hints, RunLimits } from "../core/exchange";
import { Failure } from "../core/failure";
import { parseKey } from "../core/ids";
import type { Ports } from "../core/ports";
import { Secret } from "../core/secret";
import type { Settings } from "../core/settings";
import { type BrandHeaders, brandHeaders } from "./brand-headers";
import type { Door } from "./door";
import { joinedLimits, runLimitOf } from "./run-limits";
import { tagOf } from "./tag";

/** Of a version or a list of betas. */
const HEADER_CHARACTERS_MAX = 2_048;

export function arrive(door: Door, ports: Ports): Arrived {
  return { door: door.name, requestId: ports.ids.requestId(), receivedAt: ports.clock.now(), startedMs: ports.clock.elapsedMs() };
}

/** Throws 401 and 400 (`invalid_tag`, `unsupported_parameter`). */
export function accept(arrived: Arrived, request: Request, door: Door, ports: Ports): Accepted {
  const presentedKey = presentKey(request.headers, ports.settings);
  const hints = readHints(request.headers, brandHeaders(ports.settings.brand));
  return { ...arrived, presentedKey, hints, dialectHeaders: readNamed(request.headers, door.dialect.readsHeaders) };
}

function readNamed(headers: Headers, names: readonly string[]): Readonly<Record<string, string>> {
  const read: Record<string, string> = {};
  for (const name of names) {
    const value = headers.get(name);
    if (value !== null) read[name] = value.slice(0, HEADER_CHARACTERS_MAX);
  }
  return read;
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

/** Each name is asked for by itself: going through all headers makes strings of every one that a client sends. */
function readHints(headers: Headers, names: BrandHeaders): Hints {
  for (const name of names.bindingHints) {
    if (headers.has(name))
      throw new Failure("unsupported_parameter", `${name} limits the call, and is not supported yet.`, { param: name });
  }
  return {
    unheeded: names.freeHints.filter((name) => headers.has(name)),
    tag: readTag(headers, names.tag),
    agent: readTag(headers, names.agent),
    run: readTag(headers, names.run),
    user: readTag(headers, names.user),
    runLimits: readRunLimits(headers, names),
    clientRequestId: headers.get("x-client-request-id")?.slice(0, 128) ?? undefined,
  };
}

function readRunLimits(headers: Headers, names: BrandHeaders): Hints["runLimits"] {
  const said: RunLimits[] = [];
  for (const [name, header] of names.runLimits) {
    const text = headers.get(header);
    if (text !== null) said.push(runLimitOf(name, text, header));
  }
  return joinedLimits(said);
}

function readTag(headers: Headers, name: string): string | undefined {
  const value = headers.get(name);
  return value === null ? undefined : tagOf(value, name);
}
