// What only the Anthropic SDK asks: its reading of the list of models, and counting. With both base URLs that people write.
import assert from "node:assert/strict";
import { anthropicClient } from "./asker-anthropic";
import { MODELS } from "./cases-models";
import type { Case, Ground } from "./harness";

export const anthropicCases: readonly Case<Ground>[] = ["", "/v1"].flatMap((suffix): Case<Ground>[] => [
  {
    name: `models.list() and models.retrieve() with the base URL "${suffix}"`,
    run: async (ground) => {
      const { models } = anthropicClient(ground, ground.key, suffix);
      const ids: string[] = [];
      for await (const model of models.list({ limit: 1000 })) {
        assert.equal(model.type, "model");
        assert.ok(model.display_name.length > 0, "display_name");
        assert.ok(!Number.isNaN(Date.parse(model.created_at)), "created_at");
        ids.push(model.id);
      }
      for (const id of MODELS) {
        assert.ok(ids.includes(id), `${id} is in the list`);
        assert.equal((await models.retrieve(id)).id, id);
      }
    },
  },
  {
    name: `messages.countTokens() with the base URL "${suffix}"`,
    run: async (ground) => {
      await ground.upstream.play({ body: JSON.stringify({ input_tokens: 12 }) }, { model: "claude-sonnet-4-5" });
      const ask = { model: "claude-sonnet-4-5", messages: [{ role: "user" as const, content: "How many?" }] };
      assert.equal((await anthropicClient(ground, ground.key, suffix).messages.countTokens(ask)).input_tokens, 12);
    },
  },
]);
