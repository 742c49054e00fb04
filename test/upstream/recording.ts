// Recorded answers of real providers, by id. They live outside the project (TOLLWAY_SHARED) and are never copied into it.
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";

/** One recorded exchange. `body` is content-decoded; hop-by-hop headers were dropped by the recorder. */
export interface Recording {
  id: string;
  status: number;
  /** Lower-case names. */
  headers: Readonly<Record<string, string>>;
  body: Uint8Array;
  /** The original network chunks of `body`, where the source kept them. */
  chunkSizes: readonly number[] | undefined;
  stream: boolean;
  model: string | null;
  provider: string;
  format: string;
}

/** A documented error shape for which no licensed recording exists. Not evidence for a translator. */
export interface ComposedError {
  id: string;
  status: number;
  headers: Readonly<Record<string, string>>;
  /** JSON text of the answer; undefined for the mid-stream errors, which have `sseTail`. */
  body: string | undefined;
  sseTail: string | undefined;
}

const indexSchema = z.object({
  recordings: z.array(
    z.object({
      id: z.string(),
      provider: z.string(),
      format: z.string(),
      capability: z.string(),
      cells: z.array(z.string()),
      tags: z.array(z.string()),
      model: z.string().nullable(),
      fidelity: z.string(),
      stream: z.boolean(),
      status: z.number().int(),
      metaFile: z.string(),
      bodyFile: z.string(),
    }),
  ),
});

const metaSchema = z.object({
  response: z.object({
    status: z.number().int(),
    headers: z.record(z.string(), z.string()).nullish(),
    chunkSizes: z.array(z.number().int()).optional(),
  }),
});

const composedSchema = z.object({
  errors: z.array(
    z.object({
      id: z.string(),
      status: z.number().int(),
      headers: z.record(z.string(), z.string()),
      body: z.unknown().optional(),
      sseTail: z.string().optional(),
    }),
  ),
});

export type IndexEntry = z.infer<typeof indexSchema>["recordings"][number];

/** The folder that holds `recordings/`, `catalogue/`, …: TOLLWAY_SHARED, else `shared` beside the project. */
export const sharedFolder = (): string => process.env["TOLLWAY_SHARED"] ?? join(import.meta.dir, "../../../shared");

const recordingsFolder = (): string => join(sharedFolder(), "recordings");

/** Whether the recordings are there. With TOLLWAY_REQUIRE_SHARED=1 their absence throws instead. */
export function recordingsPresent(): boolean {
  const present = existsSync(join(recordingsFolder(), "index.json"));
  if (!present && process.env["TOLLWAY_REQUIRE_SHARED"] === "1") {
    throw new Error(`TOLLWAY_REQUIRE_SHARED=1 and no recordings in ${recordingsFolder()}`);
  }
  return present;
}

const readJson = (file: string): unknown => JSON.parse(readFileSync(join(recordingsFolder(), file), "utf8"));

let index: readonly IndexEntry[] | undefined;
const loaded = new Map<string, Recording>();
let composed: ReadonlyMap<string, ComposedError> | undefined;

/** Every recording's entry of index.json. */
export function recordingIndex(): readonly IndexEntry[] {
  index ??= indexSchema.parse(readJson("index.json")).recordings;
  return index;
}

/** A recording by id ("openai/chat.text-stream.1"). Throws for an unknown id, naming it. */
export function loadRecording(id: string): Recording {
  const known = loaded.get(id);
  if (known) return known;
  const entry = recordingIndex().find((item) => item.id === id);
  if (!entry) throw new Error(`no recording "${id}" in ${recordingsFolder()}`);
  const { response } = metaSchema.parse(readJson(entry.metaFile));
  const recording: Recording = {
    id,
    status: response.status,
    headers: response.headers ?? {},
    body: new Uint8Array(readFileSync(join(recordingsFolder(), entry.bodyFile))),
    chunkSizes: response.chunkSizes,
    stream: entry.stream,
    model: entry.model,
    provider: entry.provider,
    format: entry.format,
  };
  loaded.set(id, recording);
  return recording;
}

/** A composed error by id ("openai.429.tpm"). Throws for an unknown id, naming it. */
export function loadComposedError(id: string): ComposedError {
  composed ??= new Map(
    composedSchema.parse(readJson("_composed-errors.json")).errors.map((error) => [
      error.id,
      {
        id: error.id,
        status: error.status,
        headers: error.headers,
        body: error.body === undefined ? undefined : JSON.stringify(error.body),
        sseTail: error.sseTail,
      },
    ]),
  );
  const found = composed.get(id);
  if (!found) throw new Error(`no composed error "${id}" in ${recordingsFolder()}`);
  return found;
}
