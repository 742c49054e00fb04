// Vectors: the same numbers in every client, whatever form it asks for and whatever form the provider has.
import assert from "node:assert/strict";
import type { Script } from "../../upstream/script";
import type { Asker } from "./asker";
import type { Case, Ground } from "./harness";

/** Exact in 32 bits. */
const VECTORS = [
  [0.5, -0.25, 1],
  [0, 0.125, -2],
];
const TEXTS = ["north", "south"];
const USAGE = { prompt_tokens: 2, total_tokens: 2 };

const base64 = (vector: number[]): string => Buffer.from(new Float32Array(vector).buffer).toString("base64");

const openai = (form: (vector: number[]) => unknown): Script => ({
  body: JSON.stringify({
    object: "list",
    data: VECTORS.map((vector, index) => ({ object: "embedding", index, embedding: form(vector) })),
    model: "text-embedding-3-small",
    usage: USAGE,
  }),
});

/** Title, model, and what its provider answers. */
export const EMBEDDING_UPSTREAMS: readonly [string, string, Script][] = [
  ["openai, in base64", "text-embedding-3-small", openai(base64)],
  ["openai, in floats", "text-embedding-3-small", openai((vector) => vector)],
  ["gemini", "gemini-embedding-001", { body: JSON.stringify({ embeddings: VECTORS.map((values) => ({ values })) }) }],
];

/** A client that was asked for base64 and got floats may show a vector of nothing: every number is compared. */
export const embeddingCases = (embedders: Readonly<Record<string, NonNullable<Asker["embed"]>>>): Case<Ground>[] =>
  Object.entries(embedders).flatMap(([title, embed]) =>
    EMBEDDING_UPSTREAMS.map(
      ([upstream, model, script]): Case<Ground> => ({
        name: `embeddings, ${title}: vectors of ${upstream}`,
        models: { [model]: script },
        run: async (ground) => {
          assert.deepEqual(
            (await embed(ground, { model, texts: TEXTS })).map((vector) => [...vector]),
            VECTORS,
          );
          const { requests } = await ground.upstream.seen();
          for (const text of TEXTS) assert.ok(requests[0]?.body.includes(`"${text}"`), `${text} went to the provider`);
        },
      }),
    ),
  );
