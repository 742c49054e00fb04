// How each agent is pointed at the gateway and run headless, as data. docs/clients.md says the same to people.

import { join } from "node:path";
import { HERE, NODE } from "./gateway";

export const AGENTS_FOLDER = join(HERE, "agents");

/** An agent's program. */
export const binaryOf = (name: string): string => join(AGENTS_FOLDER, "node_modules/.bin", name);

/** Nothing of the machine's own environment but a path with our Node 22. */
export const agentEnvironment = (home: string, env: Readonly<Record<string, string>>): Record<string, string> => ({
  PATH: `${join(NODE, "..")}:/usr/local/bin:/usr/bin:/bin`,
  HOME: home,
  ...env,
});

/** Where an agent runs. */
export interface Visit {
  home: string;
  work: string;
  /** Without /v1. */
  gateway: string;
  key: string;
  model: string;
  prompt: string;
}

/** One call of one tool: what the provider asks for, and by what its result is known. */
export interface Task {
  title: string;
  /** Finds the tool among the names that reached the provider. */
  tool: RegExp;
  input: object;
  /** In the tool's result, as the provider sees it. */
  result: string;
  /** Whether the agent needs to know the model for it. */
  knownModel?: boolean;
}

export interface Agent {
  name: string;
  /** Providers that speak the agent's own dialect: not what is tested here. */
  own: readonly string[];
  /** Its shell tool, and what that takes. */
  tool: string;
  input(command: string): object;
  /** What it can do besides running a command. */
  more: readonly Task[];
  prepare(
    visit: Visit,
    task: Task,
  ): {
    /** By path in the home folder. */
    files: Readonly<Record<string, string>>;
    /** A name in node_modules/.bin, and its arguments. */
    command: string[];
    /** Nothing but loopback is called: updates, telemetry and lists of models from elsewhere are off. */
    env: Readonly<Record<string, string>>;
  };
}

const claudeCode: Agent = {
  name: "claude-code",
  own: ["anthropic"],
  tool: "Bash",
  input: (command) => ({ command, description: "Says something" }),
  more: [],
  prepare: ({ gateway, key, model, prompt }) => ({
    files: {},
    command: ["claude", "--print", prompt, "--model", model, "--allowedTools", "Bash"],
    env: {
      ANTHROPIC_BASE_URL: gateway,
      ANTHROPIC_AUTH_TOKEN: key,
      ANTHROPIC_DEFAULT_HAIKU_MODEL: model,
      CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC: "1",
      CLAUDE_CODE_ENABLE_GATEWAY_MODEL_DISCOVERY: "1",
      CLAUDE_CODE_MAX_RETRIES: "0",
      DISABLE_AUTOUPDATER: "1",
      DISABLE_TELEMETRY: "1",
    },
  }),
};

/** A catalogue in which `model` is what Codex knows as a plain model of OpenAI's: with that it offers its freeform tools. */
function codexCatalogue(home: string, model: string): string {
  const told = Bun.spawnSync([binaryOf("codex"), "debug", "models"], { env: agentEnvironment(home, {}), stderr: "ignore" });
  const { models }: { models: Readonly<Record<string, unknown>>[] } = JSON.parse(told.stdout.toString());
  const plain = models.find((row) => row["apply_patch_tool_type"] === "freeform" && row["tool_mode"] === undefined);
  if (plain === undefined) throw new Error("Codex knows no plain model any more");
  return JSON.stringify({ models: [{ ...plain, slug: model, display_name: model }] });
}

const codex: Agent = {
  name: "codex",
  own: ["openai"],
  tool: "exec_command",
  input: (cmd) => ({ cmd }),
  more: [
    { title: "a tool of a namespace", tool: /close_agent$/, input: { target: "nobody" }, result: "invalid agent id" },
    {
      title: "a freeform tool",
      tool: /^apply_patch$/,
      input: { input: "*** Begin Patch\n*** Add File: patched.txt\n+tollway-ok\n*** End Patch\n" },
      result: "Updated the following files",
      knownModel: true,
    },
  ],
  prepare: ({ home, gateway, key, model, prompt }, { knownModel = false }) => ({
    files: {
      ...(knownModel ? { ".codex/models.json": codexCatalogue(home, model) } : {}),
      ".codex/config.toml": `model = "${model}"
model_provider = "tollway"
${knownModel ? `model_catalog_json = "${home}/.codex/models.json"` : ""}

[model_providers.tollway]
name = "Tollway"
base_url = "${gateway}/v1"
env_key = "TOLLWAY_API_KEY"
wire_api = "responses"
request_max_retries = 0
stream_max_retries = 0

[analytics]
enabled = false

[feedback]
enabled = false
`,
    },
    command: ["codex", "exec", "--json", "--skip-git-repo-check", "--dangerously-bypass-approvals-and-sandbox", prompt],
    env: { CODEX_HOME: `${home}/.codex`, TOLLWAY_API_KEY: key },
  }),
};

const opencode: Agent = {
  name: "opencode",
  own: ["openai"],
  tool: "bash",
  input: (command) => ({ command, description: "Says something" }),
  more: [],
  prepare: ({ gateway, key, model, prompt }) => ({
    files: {
      "work/opencode.json": JSON.stringify({
        autoupdate: false,
        share: "disabled",
        model: `tollway/${model}`,
        small_model: `tollway/${model}`,
        provider: {
          tollway: {
            npm: "@ai-sdk/openai-compatible",
            name: "Tollway",
            options: { baseURL: `${gateway}/v1`, apiKey: key },
            models: { [model]: { name: model, limit: { context: 200_000, output: 8_000 } } },
          },
        },
        permission: { bash: "allow" },
      }),
    },
    command: ["opencode", "run", "--format", "json", prompt],
    env: { OPENCODE_DISABLE_AUTOUPDATE: "1", OPENCODE_DISABLE_MODELS_FETCH: "1" },
  }),
};

const continueCli: Agent = {
  name: "continue-cn",
  own: ["openai"],
  tool: "Bash",
  input: (command) => ({ command }),
  more: [],
  prepare: ({ home, gateway, key, model, prompt }) => ({
    files: {
      ".continue/config.yaml": `name: tollway
version: 0.0.1
schema: v1
models:
  - name: tollway
    provider: openai
    model: ${model}
    apiBase: ${gateway}/v1
    apiKey: ${key}
    roles: [chat]
`,
    },
    command: ["cn", "--print", "--config", `${home}/.continue/config.yaml`, "--allow", "Bash", prompt],
    env: { CONTINUE_GLOBAL_DIR: `${home}/.continue`, CONTINUE_TELEMETRY_ENABLED: "0" },
  }),
};

export const AGENT_ROWS: readonly Agent[] = [claudeCode, codex, opencode, continueCli];
