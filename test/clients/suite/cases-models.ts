// One document for three readers: the OpenAI SDK, the Anthropic SDK, and Codex.
import assert from "node:assert/strict";
import type { Case, Ground, Sdk } from "./harness";

/** Some that must be in the list. */
export const MODELS = ["gpt-4o-mini", "claude-sonnet-4-5", "gemini-2.5-flash"];

export const openaiModelCases = (sdk: Sdk): Case<Ground>[] => [
  {
    name: "models.list() and models.retrieve()",
    run: async ({ gateway, key }) => {
      const { models } = new sdk.default({ apiKey: key, baseURL: `${gateway}/v1`, maxRetries: 0, organization: null, project: null });
      const ids: string[] = [];
      for await (const model of await models.list()) {
        assert.equal(model.object, "model");
        assert.ok(Number.isInteger(model.created), "created");
        ids.push(model.id);
      }
      for (const id of MODELS) {
        assert.ok(ids.includes(id), `${id} is in the list`);
        assert.equal((await models.retrieve(id)).id, id);
      }
    },
  },
  {
    name: "the list of models is one that Codex can read",
    run: async ({ gateway, key }) => {
      const answer = await fetch(`${gateway}/v1/models?client_version=0.169.0`, { headers: { authorization: `Bearer ${key}` } });
      const body: unknown = await answer.json();
      assert.ok(typeof body === "object" && body !== null && "models" in body && Array.isArray(body.models), "a top-level models[]");
    },
  },
];
