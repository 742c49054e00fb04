// Recorded HTTP exchanges with providers: the shared pack (never copied into the project) and a small set of our own of the same shape.
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";

export interface Recording {
  readonly id: string;
  readonly provider: string;
  /** "openai-chat", "anthropic-messages", "gemini", … */
  readonly format: string;
  readonly capability: string;
  readonly tags: readonly string[];
  /** "wire", "wire-chunks", "json-reserialised", "sse-reframed", "normalised", "sdk-objects" or, for our own, "written". */
  readonly fidelity: string;
  readonly stream: boolean;
  readonly status: number;
  /** Path of the request, with the version prefix. */
  readonly path: string;
  /** Lower-case names. */
  readonly headers: ReadonlyMap<string, string>;
  /** The request's JSON; undefined where only the answer was recorded. */
  readonly request: unknown;
  readonly chunkSizes: readonly number[] | undefined;
  /** Name of the body's file: its ending tells the kind (.json, .sse, .ndjson, .txt). */
  readonly bodyFile: string;
  /** The answer's bytes, read on demand. */
  readonly body: Uint8Array;
}

interface Meta {
  id: string;
  provider: string;
  format: string;
  capability: string;
  tags?: string[];
  fidelity: string;
  request: { recorded?: boolean; path: string; body?: unknown };
  response: { status: number; headers: Record<string, string>; bodyFile: string; chunkSizes?: number[] };
}

const PROJECT = resolve(import.meta.dir, "../..");
export const SHARED = resolve(PROJECT, process.env.TOLLWAY_SHARED ?? "../shared");
export const SHARED_RECORDINGS = join(SHARED, "recordings");
const OWN = join(import.meta.dir, "own");

/** True where the shared pack is missing and may be: tests over it skip, visibly. */
export const sharedMissing = !existsSync(join(SHARED_RECORDINGS, "index.json"));
if (sharedMissing && process.env.TOLLWAY_REQUIRE_SHARED === "1")
  throw new Error(`TOLLWAY_REQUIRE_SHARED is set and there are no recordings in ${SHARED_RECORDINGS}`);
if (sharedMissing) console.warn(`No recordings in ${SHARED_RECORDINGS}: tests over them are skipped (TOLLWAY_SHARED names the folder)`);

function read(folder: string, metaFile: string): Recording {
  const meta: Meta = JSON.parse(readFileSync(join(folder, metaFile), "utf8"));
  const bodyPath = join(folder, meta.response.bodyFile);
  return {
    id: meta.id,
    provider: meta.provider,
    format: meta.format,
    capability: meta.capability,
    tags: meta.tags ?? [],
    fidelity: meta.fidelity,
    stream: !meta.response.bodyFile.endsWith(".json") && !meta.response.bodyFile.endsWith(".txt"),
    status: meta.response.status,
    path: meta.request.path,
    headers: new Map(Object.entries(meta.response.headers).map(([name, value]) => [name.toLowerCase(), value])),
    request: meta.request.recorded === false ? undefined : meta.request.body,
    chunkSizes: meta.response.chunkSizes,
    bodyFile: meta.response.bodyFile,
    get body() {
      return new Uint8Array(readFileSync(bodyPath));
    },
  };
}

const wanted = (recording: Recording, provider?: string, format?: string): boolean =>
  (provider === undefined || recording.provider === provider) && (format === undefined || recording.format === format);

let shared: readonly Recording[] | undefined;

/** The shared pack's exchanges, by provider and format; empty where the pack is missing. */
export function recordings(provider?: string, format?: string): readonly Recording[] {
  if (sharedMissing) return [];
  shared ??= (JSON.parse(readFileSync(join(SHARED_RECORDINGS, "index.json"), "utf8")).recordings as { metaFile: string }[]).map((entry) => {
    const [folder = "", file = ""] = entry.metaFile.split("/");
    return read(join(SHARED_RECORDINGS, folder), file);
  });
  return shared.filter((recording) => wanted(recording, provider, format));
}

/** Our own hand-written exchanges: always there. */
export function ownRecordings(provider?: string, format?: string): readonly Recording[] {
  return readdirSync(OWN, { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .flatMap((entry) =>
      readdirSync(join(OWN, entry.name))
        .filter((file) => file.endsWith(".meta.json"))
        .sort()
        .map((file) => read(join(OWN, entry.name), file)),
    )
    .filter((recording) => wanted(recording, provider, format));
}

/** Both sets: ours first. */
export const allRecordings = (provider?: string, format?: string): readonly Recording[] => [
  ...ownRecordings(provider, format),
  ...recordings(provider, format),
];

/** One recording by id, of either set. Throws where there is none. */
export function recording(id: string): Recording {
  const found = allRecordings().find((each) => each.id === id);
  if (!found) throw new Error(`There is no recording ${id}`);
  return found;
}

/** A seeded generator of numbers in [0, 1) (xorshift32): the same cuts in every run. */
export function seeded(seed: number): () => number {
  let state = seed | 0 || 1;
  return () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) / 2 ** 32;
  };
}

const LF = 0x0a;
const CR = 0x0d;

/** Positions just after a blank line, and after the single line ends of streams that have no blank lines. */
function boundaries(bytes: Uint8Array): number[] {
  const blank: number[] = [];
  const lines: number[] = [];
  for (let i = 0; i < bytes.length; i++) {
    if (bytes[i] !== LF && !(bytes[i] === CR && bytes[i + 1] !== LF)) continue;
    lines.push(i + 1);
    const before = bytes[i - 1] === CR ? bytes[i - 2] : bytes[i - 1];
    if (before === LF || before === CR) blank.push(i + 1);
  }
  return blank.length > 0 ? blank : lines;
}

/**
 * Where a stream is cut in two: at every byte up to 8 KiB; beyond, at every byte within 64 of a frame boundary and at 200
 * seeded places. At every byte of everything with TOLLWAY_ALL_CUTS=1. Includes 0 and the length.
 */
export function cuts(bytes: Uint8Array): readonly number[] {
  if (bytes.length <= 8192 || process.env.TOLLWAY_ALL_CUTS === "1") return Array.from({ length: bytes.length + 1 }, (_, i) => i);
  const places = new Set<number>([0, bytes.length]);
  for (const boundary of boundaries(bytes))
    for (let i = Math.max(0, boundary - 64); i <= Math.min(bytes.length, boundary + 64); i++) places.add(i);
  const random = seeded(bytes.length);
  for (let n = 0; n < 200; n++) places.add(Math.floor(random() * (bytes.length + 1)));
  return [...places].sort((a, b) => a - b);
}
