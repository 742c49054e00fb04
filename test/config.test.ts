import { describe, expect, test } from "bun:test";
import { inspect } from "node:util";
import { type Config, ConfigFaults, isLoopback, readConfig } from "../src/config";
import { TOLLWAY } from "../src/core/brand";
import { PROVIDERS } from "../src/providers/registry";

type Variables = Record<string, string | undefined>;

const read = (env: Variables = {}, flags: Variables = {}, file?: string): Config =>
  readConfig(env, flags, file === undefined ? undefined : { name: "tollway.yaml", text: file }, PROVIDERS);

function faultsOf(env: Variables, flags: Variables = {}, file?: string): readonly string[] {
  try {
    read(env, flags, file);
  } catch (thrown) {
    if (thrown instanceof ConfigFaults) return thrown.faults;
    throw thrown;
  }
  return [];
}

const SECRETS = {
  TOLLWAY_ADMIN_KEY: "admin-canary-0123456789",
  TOLLWAY_KEY_PEPPER: "pepper-canary-0123456789-0123456789",
  TOLLWAY_MASTER_KEY: "ca".repeat(32),
  TOLLWAY_MASTER_KEYS_OLD: "cb".repeat(32),
  TOLLWAY_DATABASE_TOKEN: "token-canary",
  OPENAI_API_KEY: "sk-canary-openai",
  ANTHROPIC_API_KEY: "sk-ant-canary",
  GEMINI_API_KEY: "AIza-canary",
};

describe("without any setting", () => {
  test("the gateway listens on loopback, port 8642, with its data in ./data and no provider", () => {
    expect(read()).toEqual({
      host: "127.0.0.1",
      port: 8642,
      dataFolder: "data",
      databaseUrl: "file:data/tollway.db",
      databaseToken: undefined,
      adminKey: undefined,
      pepper: undefined,
      masterKey: undefined,
      masterKeyFile: undefined,
      masterKeysOld: [],
      durability: "normal",
      allowPrivateUpstreams: false,
      logLevel: "info",
      connections: [],
      addresses: Object.fromEntries(PROVIDERS.filter((row) => !row.selfHosted).map((row) => [row.name, row.baseUrl])),
      settings: {
        brand: TOLLWAY,
        limits: { maxBodyBytes: 67_108_864, maxAnswerBytes: 67_108_864, maxTargets: 4 },
        deadlines: {
          bodyMs: 60_000,
          firstChunkMs: 120_000,
          answerMs: 600_000,
          idleGapMs: 120_000,
          writeStallMs: 60_000,
          drainMs: 60_000,
        },
      },
    });
  });

  test("an empty variable is one that is not set, and so is an empty file", () => {
    expect(read({ TOLLWAY_PORT: "", OPENAI_API_KEY: "" }, { TOLLWAY_HOST: "" })).toEqual(read());
    expect(read({}, {}, "")).toEqual(read());
    expect(read({}, {}, "# only a comment\n")).toEqual(read());
  });
});

describe("every variable is read:", () => {
  test.each<[string, string, (config: Config) => unknown, unknown]>([
    ["TOLLWAY_HOST", "::1", (config) => config.host, "::1"],
    ["TOLLWAY_PORT", "0", (config) => config.port, 0],
    ["TOLLWAY_PORT", "65535", (config) => config.port, 65_535],
    ["TOLLWAY_DATA", "/var/lib/x", (config) => [config.dataFolder, config.databaseUrl], ["/var/lib/x", "file:/var/lib/x/tollway.db"]],
    ["TOLLWAY_DATABASE_URL", "libsql://db.example", (config) => config.databaseUrl, "libsql://db.example"],
    ["TOLLWAY_DATABASE_URL", "file:/tmp/x.db", (config) => config.databaseUrl, "file:/tmp/x.db"],
    ["TOLLWAY_DATABASE_TOKEN", "a token", (config) => config.databaseToken?.reveal(), "a token"],
    ["TOLLWAY_ADMIN_KEY", "0123456789abcdef", (config) => config.adminKey?.reveal(), "0123456789abcdef"],
    ["TOLLWAY_KEY_PEPPER", "p".repeat(32), (config) => config.pepper?.reveal(), "p".repeat(32)],
    ["TOLLWAY_DURABILITY", "full", (config) => config.durability, "full"],
    ["TOLLWAY_ALLOW_PRIVATE_UPSTREAMS", "1", (config) => config.allowPrivateUpstreams, true],
    ["TOLLWAY_ALLOW_PRIVATE_UPSTREAMS", "true", (config) => config.allowPrivateUpstreams, true],
    ["TOLLWAY_ALLOW_PRIVATE_UPSTREAMS", "0", (config) => config.allowPrivateUpstreams, false],
    ["TOLLWAY_LOG", "silent", (config) => config.logLevel, "silent"],
    ["TOLLWAY_MAX_BODY_MB", "1", (config) => config.settings.limits.maxBodyBytes, 1_048_576],
    ["TOLLWAY_MAX_ANSWER_MB", "1024", (config) => config.settings.limits.maxAnswerBytes, 1_073_741_824],
    ["TOLLWAY_MAX_TARGETS", "1", (config) => config.settings.limits.maxTargets, 1],
    ["TOLLWAY_BODY_MS", "1", (config) => config.settings.deadlines.bodyMs, 1],
    ["TOLLWAY_FIRST_CHUNK_MS", "2", (config) => config.settings.deadlines.firstChunkMs, 2],
    ["TOLLWAY_ANSWER_MS", "3", (config) => config.settings.deadlines.answerMs, 3],
    ["TOLLWAY_IDLE_GAP_MS", "4", (config) => config.settings.deadlines.idleGapMs, 4],
    ["TOLLWAY_WRITE_STALL_MS", "5", (config) => config.settings.deadlines.writeStallMs, 5],
    ["TOLLWAY_DRAIN_MS", "2147483647", (config) => config.settings.deadlines.drainMs, 2_147_483_647],
  ])("%s=%s", (name, text, look, value) => {
    expect(look(read({ [name]: text }))).toEqual(value);
  });

  test.each<[Variables, { namespace: string; keyPrefix: string }]>([
    [{}, { namespace: "tollway", keyPrefix: "tw" }],
    [{ TOLLWAY_NAMESPACE: "acme" }, { namespace: "acme", keyPrefix: "acme" }],
    [{ TOLLWAY_KEY_PREFIX: "cx" }, { namespace: "tollway", keyPrefix: "cx" }],
    [
      { TOLLWAY_NAMESPACE: "conduix", TOLLWAY_KEY_PREFIX: "cx" },
      { namespace: "conduix", keyPrefix: "cx" },
    ],
    [
      { TOLLWAY_NAMESPACE: "spendlil", TOLLWAY_KEY_PREFIX: "sl" },
      { namespace: "spendlil", keyPrefix: "sl" },
    ],
  ])("the brand of %p", (env, brand) => {
    expect(read(env).settings.brand).toEqual(brand);
  });

  test("a provider is connected by its key, at its own address or at the operator's, without a trailing slash", () => {
    const { connections } = read({ ...SECRETS, TOLLWAY_ANTHROPIC_BASE_URL: "http://10.0.0.7:9000/v1//" });
    expect(connections.map(({ provider, baseUrl }) => [provider, baseUrl])).toEqual([
      ["openai", "https://api.openai.com/v1"],
      ["anthropic", "http://10.0.0.7:9000/v1"],
      ["gemini", "https://generativelanguage.googleapis.com/v1beta"],
    ]);
    expect(connections.map(({ credential }) => credential?.reveal())).toEqual([
      SECRETS.OPENAI_API_KEY,
      SECRETS.ANTHROPIC_API_KEY,
      SECRETS.GEMINI_API_KEY,
    ]);
  });

  test("an address without a key connects nothing", () => {
    expect(read({ TOLLWAY_OPENAI_BASE_URL: "http://10.0.0.7/v1" }).connections).toEqual([]);
  });

  test.each(PROVIDERS.filter((row) => !row.selfHosted).map((row) => [row.keyVariable, row] as const))(
    "%s connects its provider",
    (variable, row) => {
      const { connections } = read({ [variable]: "sk-x", [`TOLLWAY_${row.name.toUpperCase()}_BASE_URL`]: "https://proxy.example/p" });
      expect(connections).toMatchObject([{ provider: row.name, baseUrl: "https://proxy.example/p" }]);
    },
  );

  test.each(PROVIDERS.filter((row) => row.selfHosted).map((row) => [row.name, row] as const))(
    "%s needs only its address; a key alone connects nothing",
    (name, row) => {
      const upper = name.toUpperCase();
      expect(read({ [row.keyVariable]: "sk-x" }).connections).toEqual([]);
      expect(read({ [`TOLLWAY_${upper}_BASE_URL`]: "http://10.0.0.7/x/" }).connections).toEqual([
        { provider: name, baseUrl: "http://10.0.0.7/x", credential: undefined },
      ]);
      const { connections } = read({
        [`TOLLWAY_${upper}_BASE_URL`]: "http://10.0.0.7/x",
        [row.keyVariable]: "sk-x",
        [`TOLLWAY_${upper}_MODELS`]: "a/b, c ,,c",
      });
      expect(connections[0]?.credential?.reveal()).toBe("sk-x");
      expect(connections[0]?.models).toEqual(["a/b", "c"]);
    },
  );

  test("endpoints of the operator's are connected under their own names, after the providers", () => {
    const { connections } = read({
      ...SECRETS,
      TOLLWAY_BYO_MY_LLM_BASE_URL: "http://10.0.0.9/v1/",
      TOLLWAY_BYO_MY_LLM_API_KEY: "sk-mine",
      TOLLWAY_BYO_MY_LLM_MODELS: "llama-3,qwen",
      TOLLWAY_BYO_MY_LLM_PRICE: "0.50/1.5",
      TOLLWAY_BYO_ACME_BASE_URL: "https://acme.example/v1",
    });
    expect(connections.slice(3)).toMatchObject([
      { provider: "byo:acme", baseUrl: "https://acme.example/v1", credential: undefined },
      {
        provider: "byo:my-llm",
        baseUrl: "http://10.0.0.9/v1",
        models: ["byo:my-llm/llama-3", "byo:my-llm/qwen"],
        price: { input: "0.50", output: "1.5" },
      },
    ]);
    expect(connections[4]?.credential?.reveal()).toBe("sk-mine");
  });

  test("the file names endpoints too, without their keys", () => {
    const file = "byo_my_llm_base_url: http://10.0.0.9/v1\nbyo_my_llm_price: 0/0\nvllm_base_url: http://10.0.0.8/v1\nvllm_models: a,b\n";
    expect(read({}, {}, file).connections).toMatchObject([
      { provider: "vllm", models: ["a", "b"] },
      { provider: "byo:my-llm", price: { input: "0", output: "0" } },
    ]);
    expect(faultsOf({}, {}, "byo_acme_api_key: sk-x\n")).toEqual([
      'tollway.yaml: "byo_acme_api_key" is a secret; set TOLLWAY_BYO_ACME_API_KEY in the environment',
    ]);
  });

  test.each<[string, Variables, RegExp]>([
    ["an address that is none", { TOLLWAY_BYO_ACME_BASE_URL: "acme" }, /^TOLLWAY_BYO_ACME_BASE_URL: is not a URL$/],
    [
      "an address with a credential",
      { TOLLWAY_BYO_ACME_BASE_URL: "https://u:p@acme.example" },
      /^TOLLWAY_BYO_ACME_BASE_URL: must not hold credentials$/,
    ],
    [
      "a key without an address",
      { TOLLWAY_BYO_ACME_API_KEY: "sk-x" },
      /^TOLLWAY_BYO_ACME_API_KEY: .*TOLLWAY_BYO_ACME_BASE_URL is not set$/,
    ],
    ["models without an address", { TOLLWAY_VLLM_MODELS: "a" }, /^TOLLWAY_VLLM_MODELS: .*TOLLWAY_VLLM_BASE_URL is not set$/],
    [
      "a key with a space",
      { TOLLWAY_BYO_A_BASE_URL: "https://a.example", TOLLWAY_BYO_A_API_KEY: "a b" },
      /^TOLLWAY_BYO_A_API_KEY: holds a space/,
    ],
    [
      "a price of words",
      { TOLLWAY_BYO_A_BASE_URL: "https://a.example", TOLLWAY_BYO_A_PRICE: "cheap" },
      /^TOLLWAY_BYO_A_PRICE: takes USD per million/,
    ],
    ["no name", { TOLLWAY_BYO_BASE_URL: "https://a.example" }, /^TOLLWAY_BYO_BASE_URL: takes the form/],
    ["a name in lower case", { TOLLWAY_BYO_acme_BASE_URL: "https://a.example" }, /^TOLLWAY_BYO_acme_BASE_URL: takes the form/],
    ["another ending", { TOLLWAY_BYO_ACME_URL: "https://a.example" }, /^TOLLWAY_BYO_ACME_URL: takes the form/],
  ])("of an endpoint, %s is a fault", (_, env, fault) => {
    const faults = faultsOf(env);
    expect(faults).toHaveLength(1);
    expect(faults[0]).toMatch(fault);
  });
});

describe("every variable's fault is named:", () => {
  test.each<[string, string, RegExp]>([
    ["TOLLWAY_PORT", "abc", /whole number/],
    ["TOLLWAY_PORT", "65536", /at most 65535/],
    ["TOLLWAY_PORT", "-1", /whole number/],
    ["TOLLWAY_PORT", "1.5", /whole number/],
    ["TOLLWAY_PORT", "0x50", /whole number/],
    ["TOLLWAY_PORT", "1e3", /whole number/],
    ["TOLLWAY_PORT", " 80", /whole number/],
    ["TOLLWAY_HOST", "0.0.0.0", /needs TOLLWAY_ADMIN_KEY/],
    ["TOLLWAY_DATABASE_URL", "postgres://db", /takes file:, libsql:, http: or https:/],
    ["TOLLWAY_DATABASE_URL", "file:", /takes file:/],
    ["TOLLWAY_DATABASE_URL", "tollway.db", /takes file:/],
    ["TOLLWAY_ADMIN_KEY", "short", /at least 16/],
    ["TOLLWAY_ADMIN_KEY", "an admin key with spaces", /without spaces/],
    ["TOLLWAY_ADMIN_KEY", "administratör-key", /header can carry/],
    ["TOLLWAY_KEY_PEPPER", "p".repeat(31), /at least 32/],
    ["TOLLWAY_MASTER_KEY", "ab".repeat(31), /32 bytes as base64 or hex/],
    ["TOLLWAY_MASTER_KEYS_OLD", `${"ab".repeat(32)},secret`, /32 bytes as base64 or hex/],
    ["TOLLWAY_NAMESPACE", "Acme", /a-z 0-9/],
    ["TOLLWAY_NAMESPACE", "a", /2 to 32/],
    ["TOLLWAY_NAMESPACE", "a".repeat(33), /2 to 32/],
    ["TOLLWAY_NAMESPACE", "9lives", /a letter first/],
    ["TOLLWAY_NAMESPACE", "ac-me", /a-z 0-9/],
    ["TOLLWAY_KEY_PREFIX", "tw_", /a-z 0-9/],
    ["TOLLWAY_KEY_PREFIX", "x".repeat(17), /1 to 16/],
    ["TOLLWAY_DURABILITY", "none", /"normal"\|"full"/],
    ["TOLLWAY_ALLOW_PRIVATE_UPSTREAMS", "yes", /"0"\|"1"/],
    ["TOLLWAY_LOG", "loud", /"debug"\|"info"/],
    ["TOLLWAY_MAX_BODY_MB", "0", /at least 1/],
    ["TOLLWAY_MAX_BODY_MB", "1025", /at most 1024/],
    ["TOLLWAY_MAX_ANSWER_MB", "0", /at least 1/],
    ["TOLLWAY_MAX_TARGETS", "0", /at least 1/],
    ["TOLLWAY_MAX_TARGETS", "17", /at most 16/],
    ["TOLLWAY_BODY_MS", "0", /at least 1/],
    ["TOLLWAY_FIRST_CHUNK_MS", "soon", /whole number/],
    ["TOLLWAY_ANSWER_MS", "0", /at least 1/],
    ["TOLLWAY_IDLE_GAP_MS", "2147483648", /at most 2147483647/],
    ["TOLLWAY_WRITE_STALL_MS", "0", /at least 1/],
    ["TOLLWAY_DRAIN_MS", "0", /at least 1/],
    ["OPENAI_API_KEY", "sk-a sk-b", /a space or a character that no key has/],
    ["GEMINI_API_KEY", "AIza\n", /a space or a character that no key has/],
    ["ANTHROPIC_API_KEY", "sk-ünt", /a space or a character that no key has/],
    ["TOLLWAY_OPENAI_BASE_URL", "api.openai.com", /is not a URL/],
    ["TOLLWAY_OPENAI_BASE_URL", "ftp://host/v1", /takes http: or https:/],
    ["TOLLWAY_OPENAI_BASE_URL", "file:///etc/passwd", /takes http: or https:/],
    ["TOLLWAY_GEMINI_BASE_URL", "https://user:pass@host/v1beta", /must not hold credentials/],
    ["TOLLWAY_GEMINI_BASE_URL", "https://host/v1beta?key=x", /no query and no fragment/],
    ["TOLLWAY_ANTHROPIC_BASE_URL", "https://host/v1#x", /no query and no fragment/],
  ])("%s=%p", (name, text, words) => {
    const faults = faultsOf({ [name]: text });
    expect(faults).toHaveLength(1);
    expect(faults[0]).toMatch(new RegExp(`^${name}(\\.\\d)?: `));
    expect(faults[0]).toMatch(words);
  });

  test("a master key twice", () => {
    const faults = faultsOf({ TOLLWAY_MASTER_KEY: "ab".repeat(32), TOLLWAY_MASTER_KEY_FILE: "/run/secrets/master" });
    expect(faults).toEqual(["TOLLWAY_MASTER_KEY_FILE: TOLLWAY_MASTER_KEY is set too; set one of them"]);
  });

  test("all at once, whichever of the three places they come from", () => {
    const faults = faultsOf(
      { TOLLWAY_HOST: "0.0.0.0", TOLLWAY_LOG: "loud", OPENAI_API_KEY: "a b", TOLLWAY_GEMINI_BASE_URL: "nowhere" },
      { TOLLWAY_PORT: "abc" },
      "durability: never\nnonsense: 1\n",
    );
    for (const start of [
      "TOLLWAY_HOST: ",
      "TOLLWAY_LOG: ",
      "OPENAI_API_KEY: ",
      "TOLLWAY_GEMINI_BASE_URL: ",
      "TOLLWAY_PORT: ",
      "TOLLWAY_DURABILITY: ",
      'tollway.yaml: "nonsense"',
    ]) {
      expect(faults.some((fault) => fault.startsWith(start))).toBe(true);
    }
    expect(faults).toHaveLength(7);
  });

  test("in one message, a line each, without the value of any secret", () => {
    const thrown = new ConfigFaults(
      faultsOf({
        TOLLWAY_ADMIN_KEY: "canary",
        TOLLWAY_KEY_PEPPER: "canary",
        OPENAI_API_KEY: "can ary",
        TOLLWAY_OPENAI_BASE_URL: "https://u:canary@host",
      }),
    );
    expect(thrown.message.split("\n")).toHaveLength(5);
    expect(thrown.message).toStartWith("The configuration has 4 faults:\n  - ");
    expect(thrown.message).not.toMatch(/canary|can ary/);
    expect(new ConfigFaults(["x"]).message).toBe("The configuration has a fault:\n  - x");
  });
});

describe("a host that others can reach", () => {
  test.each(["0.0.0.0", "::", "192.168.1.5", "gateway.example", "127.0.0.1.example", "localhost.example"])(
    "%s needs an admin key",
    (host) => {
      expect(isLoopback(host)).toBe(false);
      expect(faultsOf({ TOLLWAY_HOST: host })).toHaveLength(1);
      expect(read({ TOLLWAY_HOST: host, TOLLWAY_ADMIN_KEY: SECRETS.TOLLWAY_ADMIN_KEY }).host).toBe(host);
    },
  );

  test.each(["127.0.0.1", "127.8.8.8", "::1", "localhost"])("%s is not one", (host) => {
    expect(read({ TOLLWAY_HOST: host }).host).toBe(host);
  });
});

describe("flag, environment and file:", () => {
  test("a flag wins over the environment, the environment over the file", () => {
    const file = "port: 1\ndata: from-file\nlog: debug\n";
    const env = { TOLLWAY_PORT: "2", TOLLWAY_DATA: "from-env" };
    expect(read(env, { TOLLWAY_PORT: "3" }, file)).toMatchObject({ port: 3, dataFolder: "from-env", logLevel: "debug" });
    expect(read({}, {}, file)).toMatchObject({ port: 1, dataFolder: "from-file" });
  });

  test("an empty flag or variable does not hide what stands below it", () => {
    expect(read({ TOLLWAY_PORT: "" }, { TOLLWAY_PORT: "" }, "port: 7").port).toBe(7);
  });

  test("the file's settings have the variables' names, base addresses of providers too", () => {
    const config = read(
      { OPENAI_API_KEY: "sk-x" },
      {},
      "allow_private_upstreams: true\nmax_targets: 2\nwrite_stall_ms: 9\nopenai_base_url: http://10.0.0.1/v1\nnamespace: acme\n",
    );
    expect(config).toMatchObject({
      allowPrivateUpstreams: true,
      connections: [{ baseUrl: "http://10.0.0.1/v1" }],
      settings: { brand: { namespace: "acme" }, limits: { maxTargets: 2 }, deadlines: { writeStallMs: 9 } },
    });
  });

  test.each<[string, string, RegExp]>([
    ["broken YAML, with its line", "port: 1\nhost: [1\n", /^tollway\.yaml: .*line [23]/],
    ["a setting twice, with its line", "port: 1\nport: 2\n", /^tollway\.yaml: .*unique at line 2/],
    ["an unknown setting", "prot: 1\n", /^tollway\.yaml: "prot" is not a setting$/],
    ["a name of another kind", "7: 1\n", /"7" is not a setting/],
    ["a list", "- port\n", /takes a map of settings/],
    ["a text", "just words\n", /takes a map of settings/],
    ["a map in a setting", "port: {a: 1}\n", /"port" takes a plain value/],
    ["a list in a setting", "port: [1]\n", /"port" takes a plain value/],
    ["a setting without a value", "port:\n", /"port" takes a plain value/],
    ["the admin key", "admin_key: 0123456789abcdef\n", /"admin_key" is a secret; set TOLLWAY_ADMIN_KEY in the environment$/],
    ["the pepper", `key_pepper: ${"p".repeat(32)}\n`, /"key_pepper" is a secret; set TOLLWAY_KEY_PEPPER/],
    ["the master key", `master_key: ${"ab".repeat(32)}\n`, /"master_key" is a secret; set TOLLWAY_MASTER_KEY/],
    ["an older master key", `master_keys_old: ${"ab".repeat(32)}\n`, /"master_keys_old" is a secret; set TOLLWAY_MASTER_KEYS_OLD/],
    ["the database's token", "database_token: x\n", /"database_token" is a secret; set TOLLWAY_DATABASE_TOKEN/],
    ["a provider's key", "openai_api_key: sk-x\n", /"openai_api_key" is not a setting/],
    ["an alias of nothing", "port: *nothing\n", /^tollway\.yaml: .*nothing/],
    ["a tag that is not known", "port: !port 7\n", /^tollway\.yaml: .*tag.* line 1/],
    ["a value that the variable would not take", "port: many\n", /^TOLLWAY_PORT: takes a whole number$/],
  ])("the file is refused for %s", (_, text, words) => {
    const faults = faultsOf({}, {}, text);
    expect(faults).toHaveLength(1);
    expect(faults[0]).toMatch(words);
    expect(faults[0]).not.toMatch(/0123456789abcdef|pppp|sk-x/);
  });

  test("a file of nested aliases is refused, not unfolded", () => {
    const levels = Array.from(
      { length: 8 },
      (_, n) => `l${n}: &l${n} [${Array.from({ length: 9 }, () => (n === 0 ? "x" : `*l${n - 1}`)).join(", ")}]`,
    );
    const faults = faultsOf({}, {}, levels.join("\n"));
    expect(faults.length).toBeGreaterThan(0);
  });
});

describe("what was read", () => {
  test("cannot be changed, at any depth", () => {
    const config = read(SECRETS);
    const frozen = (value: unknown, path: string): string[] => {
      if (typeof value !== "object" || value === null) return [];
      if (value.constructor !== Object && !Array.isArray(value)) return []; // A secret has nothing to change.
      const inner = Object.entries(value).flatMap(([name, one]) => frozen(one, `${path}.${name}`));
      return Object.isFrozen(value) ? inner : [path, ...inner];
    };
    expect(frozen(config, "config")).toEqual([]);
    expect(config.connections).toHaveLength(3);
    expect(() => Object.assign(config.settings.limits, { maxBodyBytes: 1 })).toThrow(TypeError);
  });

  test("shows no secret in JSON, in inspection or in a text", () => {
    const config = read(SECRETS);
    const shown = [
      JSON.stringify(config),
      inspect(config, { depth: null, showHidden: true }),
      Bun.inspect(config, { depth: 10 }),
      String(config),
    ];
    for (const value of Object.values(SECRETS)) for (const text of shown) expect(text).not.toContain(value);
    expect(JSON.stringify(config)).toContain("[secret]");
    expect(config.adminKey?.reveal()).toBe(SECRETS.TOLLWAY_ADMIN_KEY);
  });
});
