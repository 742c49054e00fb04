import { describe, expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { type FieldContext, fitRequest } from "../../src/dialects/field-table";
import { openaiChat } from "../../src/dialects/openai-chat";
import { OPENAI_CHAT_FIELDS } from "../../src/dialects/openai-chat-fields";
import { SHARED, sharedMissing } from "../recordings/load";
import { failureOf } from "./openai-chat-replay";

const context = (changes: Partial<FieldContext> = {}): FieldContext => ({ unsupported: [], dropUnsupported: false, ...changes });
const ask = (fields: object) => openaiChat.decodeRequest({ model: "m", messages: [{ role: "user", content: "hi" }], ...fields }).request;
const fit = (fields: object, honours: string[] = [], changes: Partial<FieldContext> = {}) =>
  fitRequest(ask(fields), OPENAI_CHAT_FIELDS, new Set(honours), context(changes));

describe("fitRequest()", () => {
  const meanings: [object, string][] = [
    [{ n: 2 }, "n"],
    [{ logprobs: true }, "logprobs"],
    [{ top_logprobs: 3 }, "top_logprobs"],
    [{ logit_bias: { "50256": -100 } }, "logit_bias"],
    [{ presence_penalty: 0.5 }, "presence_penalty"],
    [{ response_format: { type: "json_object" } }, "response_format"],
    [{ response_format: { type: "grammar" } }, "response_format"],
    [{ tools: [{ type: "function", function: { name: "f" } }] }, "tools"],
    [{ tool_choice: "required" }, "tool_choice"],
    [{ stop: "a" }, "stop"],
    [{ modalities: ["text", "audio"] }, "modalities"],
    [{ audio: { voice: "x", format: "mp3" } }, "audio"],
    [{ prediction: { type: "content", content: "x" } }, "prediction"],
    [{ web_search_options: {} }, "web_search_options"],
    [{ store: true }, "store"],
    [{ functions: [{ name: "f" }] }, "functions"],
    [{ messages: [{ role: "user", content: [{ type: "video_url" }] }] }, "messages[0].content[0]"],
  ];
  test.each(meanings)("refuses the meaning in %j by its name", (fields, param) => {
    // Legacy functions count as tools too; a target with tools refuses them by their own name.
    const failure = failureOf(() => fit(fields, param === "functions" ? ["tools"] : []));
    expect([failure.code as string, failure.param]).toEqual(["unsupported_parameter", param]);
    expect(fit(fields, [], { dropUnsupported: true }).ignored).toContain(param);
  });

  const hints: [object, string[]][] = [
    [{ user: "u" }, ["user"]],
    [{ metadata: { a: "b" } }, ["metadata"]],
    [{ store: false }, ["store"]],
    [{ service_tier: "flex" }, ["service_tier"]],
    [{ prompt_cache_key: "k", safety_identifier: "s" }, ["prompt_cache_key", "safety_identifier"]],
    [{ seed: 1 }, ["seed"]],
    [{ verbosity: "low" }, ["verbosity"]],
    [{ something_new: 1 }, ["something_new"]],
    [{ messages: [{ role: "user", content: "a", prefix: true }] }, ["messages[0].prefix"]],
    [{ messages: [{ role: "user", content: [{ type: "text", text: "a", cache_control: { type: "ephemeral" } }] }] }, ["cache_control"]],
    [
      { models: ["a"], tags: ["t"], transforms: ["t"], route: "fallback", session_id: "s" },
      ["models", "tags", "transforms", "route", "session_id"],
    ],
  ];
  test.each(hints)("leaves out the hints in %j and names them", (fields, names) => {
    expect([...fit(fields).ignored].sort()).toEqual([...names].sort());
  });

  test("says nothing of what says nothing", () => {
    const neutral = {
      n: 1,
      logprobs: false,
      top_logprobs: 0,
      presence_penalty: 0,
      frequency_penalty: 0,
      temperature: 1,
      top_p: 1,
      tools: [],
      stop: [],
      logit_bias: {},
      metadata: {},
      functions: [],
      parallel_tool_calls: true,
      tool_choice: "auto",
      response_format: { type: "text" },
      modalities: ["text"],
      service_tier: "auto",
      verbosity: "medium",
      prediction: null,
      audio: null,
      tollway: { tag: "x" },
      usage: { include: true },
      provider: null,
    };
    const { ignored, request } = fit(neutral);
    expect(ignored).toEqual([]);
    expect(Object.keys(request.rest)).toEqual([]);
    expect(request.choices).toBeUndefined();
  });

  test("keeps what the target honours, unless its provider does not", () => {
    const fields = { temperature: 0.5, stop: ["a"] };
    expect(fit(fields, ["temperature", "stop"])).toMatchObject({ ignored: [], request: { temperature: 0.5, stop: ["a"] } });
    expect(failureOf(() => fit(fields, ["temperature", "stop"], { unsupported: ["stop"] })).param).toBe("stop");
    const dropped = fit(fields, ["temperature", "stop"], { unsupported: ["stop"], dropUnsupported: true });
    expect(dropped.ignored).toEqual(["stop"]);
    expect(dropped.request.stop).toBeUndefined();
  });

  test("honouring tools is not honouring every kind of tool", () => {
    const tools = [{ type: "function", function: { name: "f" } }, { type: "web_search" }];
    expect(failureOf(() => fit({ tools }, ["tools"])).param).toBe("tools");
    expect(fit({ tools }, ["tools"], { asWritten: true }).ignored).toEqual([]);
  });

  test("takes a reseller's namespace for our own object", () => {
    expect(fit({ acme: { tag: "x" } }, [], { extensionName: "acme" }).ignored).toEqual([]);
    expect(fit({ acme: { tag: "x" } }).ignored).toEqual(["acme"]);
  });
});

describe.skipIf(sharedMissing)("the table", () => {
  test("has every field that OpenAI's specification documents", () => {
    const { schemas } = JSON.parse(readFileSync(join(SHARED, "specs/openai-relaxed.schema.json"), "utf8")).components;
    const documented = new Set<string>();
    const collect = (schema: { $ref?: string; allOf?: object[]; properties?: object }): void => {
      if (schema.$ref) collect(schemas[schema.$ref.split("/").at(-1) ?? ""]);
      for (const each of schema.allOf ?? []) collect(each);
      for (const name of Object.keys(schema.properties ?? {})) documented.add(name);
    };
    collect(schemas.CreateChatCompletionRequest);
    expect(documented.size).toBeGreaterThan(30);
    const readByDoor = ["model", "messages", "stream", "stream_options", "max_tokens"];
    const missing = [...documented].filter((name) => !(name in OPENAI_CHAT_FIELDS) && !readByDoor.includes(name));
    expect(missing).toEqual([]);
  });
});
