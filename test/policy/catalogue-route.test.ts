import { describe, expect, test } from "bun:test";
import { Failure } from "../../src/core/failure";
import { type RouteFacts, type RouteRow, routeModel } from "../../src/policy/catalogue-route";

/** A provider with what is true of it. */
interface Stand extends RouteRow {
  connected: boolean;
  catalogue: readonly string[];
}

const stand = (row: RouteRow): Stand => row as Stand;
const FACTS: RouteFacts = {
  connected: (row) => stand(row).connected,
  knows: (row, model) => stand(row).catalogue.includes(model),
  ids: (row) => stand(row).catalogue,
};

const row = (name: string, ids: readonly string[], families: readonly RegExp[], more: Partial<Stand> = {}): Stand => ({
  name,
  aliases: [],
  connected: true,
  variable: `${name.toUpperCase()}_API_KEY`,
  families,
  catalogue: ids,
  ...more,
});

const ROWS: readonly Stand[] = [
  row("openai", ["gpt-5", "gpt-5-mini", "gpt-5-nano", "gpt-4o-2024-05-13", "gpt-4o"], [/^gpt-/, /^o[134](-|$)/]),
  row("anthropic", ["claude-haiku-4-5", "claude-sonnet-4-6"], [/^claude-/]),
  row("gemini", ["gemini-2.5-pro"], [/^gemini-/], { aliases: ["google"], connected: false }),
  row("groq", ["llama-3.3-70b-versatile", "openai/gpt-oss-120b"], []),
  row("together", ["openai/gpt-oss-120b"], [], { connected: false }),
  row("openrouter", ["openai/gpt-oss-120b", "openai/gpt-5"], [/^[^/]+\/.+/]),
];

const route = (model: string, only?: readonly string[], rows: readonly Stand[] = ROWS) => routeModel({ model, only }, rows, FACTS);
const failure = (run: () => unknown): Failure => {
  try {
    run();
  } catch (thrown) {
    if (thrown instanceof Failure) return thrown;
    throw thrown;
  }
  throw new Error("Nothing was thrown");
};

describe("routeModel()", () => {
  test("goes where the catalogue has the id, in the order of the rows", () => {
    expect(route("gpt-5")).toEqual(["openai"]);
    expect(route("openai/gpt-oss-120b")).toEqual(["groq", "openrouter"]);
    expect(route("gpt-4o-2024-05-13")).toEqual(["openai"]);
  });

  test("goes where the catalogue has the id without its date", () => {
    expect(route("gpt-5-2025-08-07")).toEqual(["openai"]);
    expect(route("claude-haiku-4-5-20251001", undefined, [row("mirror", ["claude-haiku-4-5"], []), ...ROWS])).toEqual([
      "mirror",
      "anthropic",
    ]);
  });

  test("goes by its family when no catalogue has it", () => {
    expect(route("gpt-9-preview")).toEqual(["openai"]);
    expect(route("o3")).toEqual(["openai"]);
    expect(route("claude-next")).toEqual(["anthropic"]);
    expect(route("acme/unheard-of")).toEqual(["openrouter"]);
  });

  test("a provider that is not connected is passed over where another has the id", () => {
    const without = ROWS.map((each) => (each.name === "groq" ? { ...each, connected: false } : each));
    expect(route("openai/gpt-oss-120b", undefined, without)).toEqual(["openrouter"]);
  });

  test("a pin takes the provider at its word for any id", () => {
    expect(route("gpt-5", ["groq"])).toEqual(["groq"]);
    expect(route("whatever", ["openrouter", "openai", "openrouter"])).toEqual(["openrouter", "openai"]);
    expect(route("whatever", ["google", "openai"])).toEqual(["openai"]);
    expect(route("gpt-5", [])).toEqual(["openai"]);
  });

  test("a pin on an unknown or unconnected provider is refused by name", () => {
    const unknown = failure(() => route("gpt-5", ["openai", "acme"]));
    expect([unknown.code, unknown.param]).toEqual(["invalid_value", "provider.only[1]"]);
    expect(unknown.message).toContain('"acme"');
    const unconnected = failure(() => route("gemini-2.5-pro", ["google"]));
    expect([unconnected.code, unconnected.param]).toEqual(["model_not_found", "provider.only"]);
    expect(unconnected.message).toContain("GEMINI_API_KEY");
  });

  test("a model whose provider is not connected says which and how", () => {
    for (const model of ["gemini-2.5-pro", "gemini-2.5-pro-20260101", "gemini-9"]) {
      const refused = failure(() => route(model));
      expect([refused.code, refused.param, refused.row.status]).toEqual(["model_not_found", "model", 404]);
      expect(refused.message).toBe(
        `The model "${model}" is served by gemini, which is not connected here. Set GEMINI_API_KEY to connect it`,
      );
    }
  });

  test("an id that carries its endpoint's name goes there or nowhere, and says how to connect it", () => {
    const rows = [
      ...ROWS,
      row("byo:acme", [], []),
      row("vllm", [], [], { aliases: ["byo:vllm"], connected: false, variable: "TOLLWAY_VLLM_BASE_URL" }),
    ];
    expect(route("byo:acme/llama-3", undefined, rows)).toEqual(["byo:acme"]);
    expect(route("byo:acme/Qwen/Qwen3-0.6B", undefined, rows)).toEqual(["byo:acme"]);
    expect(route("gpt-5", ["byo:acme"], rows)).toEqual(["byo:acme"]);
    const unknown = failure(() => route("byo:my-llm/llama-3", undefined, rows));
    expect([unknown.code, unknown.param, unknown.row.status]).toEqual(["model_not_found", "model", 404]);
    expect(unknown.message).toBe(
      'The model "byo:my-llm/llama-3" is served by byo:my-llm, which is not connected here. Set TOLLWAY_BYO_MY_LLM_BASE_URL to connect it',
    );
    expect(failure(() => route("byo:vllm/x", undefined, rows)).message).toContain("Set TOLLWAY_VLLM_BASE_URL");
    expect(failure(() => route("gpt-5", ["byo:nobody"], rows)).code).toBe("invalid_value");
  });

  test("an unknown id suggests the nearest ones", () => {
    const rows = ROWS.map((each) => ({ ...each, families: [] }));
    expect(failure(() => route("gpt-5-mni", undefined, rows)).message).toBe(
      'The model "gpt-5-mni" does not exist here. Did you mean "gpt-5-mini" or "gpt-5-nano"?',
    );
    expect(failure(() => route("GPT-5", undefined, rows)).message).toContain('"gpt-5"');
    const far = failure(() => route("zzzzzzzzzzzz", undefined, rows));
    expect(far.message).toBe('The model "zzzzzzzzzzzz" does not exist here. GET /v1/models lists what there is');
    expect(far.param).toBe("model");
  });

  test("a hostile id is neither searched nor echoed whole", () => {
    const rows = ROWS.map((each) => ({ ...each, families: [] }));
    expect(failure(() => route("x".repeat(1_000_000), undefined, rows)).message.length).toBeLessThan(200);
    expect(failure(() => route("", undefined, rows)).code).toBe("model_not_found");
  });
});
