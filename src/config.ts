// Environment + tollway.yaml → one frozen Config. All faults are reported together, each with its name.
import { type Document, isNode, isScalar, LineCounter, parseDocument, visit } from "yaml";
import { z } from "zod";
import { type Brand, TOLLWAY } from "./core/brand";
import { Secret } from "./core/secret";
import { baseUrlFault, baseUrlVariable, type Connection, type Settings } from "./core/settings";
import { masterKeyOf } from "./core/vault";

/** What config needs to know of a provider: its row's address and key variable. */
export interface ProviderEntry {
  name: string;
  baseUrl: string;
  keyVariable: string;
  /** Connected by its base URL, with a key or without. */
  selfHosted?: true | undefined;
}

export interface Config {
  readonly host: string;
  readonly port: number;
  /** Folder of the database, the lock, the pepper and the admin socket. */
  readonly dataFolder: string;
  readonly databaseUrl: string;
  readonly databaseToken: Secret | undefined;
  readonly adminKey: Secret | undefined;
  /** undefined: made at first start and kept in the data folder. */
  readonly pepper: Secret | undefined;
  /** undefined: of a file, made at first start and kept in the data folder. */
  readonly masterKey: Secret | undefined;
  /** In place of the data folder's own. */
  readonly masterKeyFile: string | undefined;
  /** Those before the last rotation. */
  readonly masterKeysOld: readonly Secret[];
  readonly durability: "normal" | "full";
  readonly allowPrivateUpstreams: boolean;
  readonly logLevel: "debug" | "info" | "warn" | "error" | "silent";
  readonly connections: readonly Connection[];
  /** Base URLs of every provider that has one, connected or not, without a trailing slash. */
  readonly addresses: Readonly<Record<string, string>>;
  readonly settings: Settings;
}

/** Every fault of the configuration at once. */
export class ConfigFaults extends Error {
  constructor(readonly faults: readonly string[]) {
    super(
      `The configuration has ${faults.length === 1 ? "a fault" : `${faults.length} faults`}:\n${faults.map((fault) => `  - ${fault}`).join("\n")}`,
    );
  }
}

/** Decimal digits only: "0x50", "1e3" and " 8 " are slips of the hand. */
const wholeNumber = (least: number, most: number) =>
  z
    .string()
    .regex(/^\d{1,15}$/, "takes a whole number")
    .transform(Number)
    .pipe(z.number().min(least, `takes at least ${least}`).max(most, `takes at most ${most}`));
/** What a timer can wait: 2^31 - 1 milliseconds. */
const milliseconds = wholeNumber(1, 2_147_483_647);
const masterKey = z.string().refine((text) => masterKeyOf(text) !== undefined, "takes 32 bytes as base64 or hex");
const listed = (text: string): string[] =>
  text
    .split(",")
    .map((one) => one.trim())
    .filter((one) => one !== "");
const flag = z.enum(["0", "1", "true", "false"]).transform((text) => text === "1" || text === "true");

const ENVIRONMENT = z.object({
  TOLLWAY_HOST: z.string().min(1).default("127.0.0.1"),
  TOLLWAY_PORT: wholeNumber(0, 65_535).default(8642),
  TOLLWAY_DATA: z.string().min(1).default("data"),
  TOLLWAY_DATABASE_URL: z
    .string()
    .regex(/^(file:.|libsql:\/\/|https?:\/\/)/, "takes file:, libsql:, http: or https:")
    .optional(),
  TOLLWAY_DATABASE_TOKEN: z.string().min(1).optional(),
  // It travels as a Bearer token: a space would make it one that nobody can send.
  TOLLWAY_ADMIN_KEY: z
    .string()
    .regex(/^[\x21-\x7e]{16,}$/, "takes at least 16 characters, of those that a header can carry, without spaces")
    .optional(),
  TOLLWAY_KEY_PEPPER: z.string().min(32, "takes at least 32 characters").optional(),
  TOLLWAY_MASTER_KEY: masterKey.optional(),
  TOLLWAY_MASTER_KEY_FILE: z.string().min(1).optional(),
  TOLLWAY_MASTER_KEYS_OLD: z.string().transform(listed).pipe(z.array(masterKey)).default([]),
  TOLLWAY_NAMESPACE: z
    .string()
    .regex(/^[a-z][a-z0-9]{1,31}$/, "takes 2 to 32 of a-z 0-9, a letter first")
    .default(TOLLWAY.namespace),
  TOLLWAY_KEY_PREFIX: z
    .string()
    .regex(/^[a-z][a-z0-9]{0,15}$/, "takes 1 to 16 of a-z 0-9, a letter first")
    .optional(),
  TOLLWAY_DURABILITY: z.enum(["normal", "full"]).default("normal"),
  TOLLWAY_ALLOW_PRIVATE_UPSTREAMS: flag.default(false),
  TOLLWAY_LOG: z.enum(["debug", "info", "warn", "error", "silent"]).default("info"),
  TOLLWAY_MAX_BODY_MB: wholeNumber(1, 1024).default(64),
  TOLLWAY_MAX_ANSWER_MB: wholeNumber(1, 1024).default(64),
  TOLLWAY_MAX_TARGETS: wholeNumber(1, 16).default(4),
  TOLLWAY_BODY_MS: milliseconds.default(60_000),
  TOLLWAY_FIRST_CHUNK_MS: milliseconds.default(120_000),
  TOLLWAY_ANSWER_MS: milliseconds.default(600_000),
  TOLLWAY_IDLE_GAP_MS: milliseconds.default(120_000),
  TOLLWAY_WRITE_STALL_MS: milliseconds.default(60_000),
  TOLLWAY_DRAIN_MS: milliseconds.default(60_000),
});

type Environment = Readonly<Record<string, string | undefined>>;

/** Names of the configuration file's settings are the environment's, in lower case and without TOLLWAY_. */
const fileName = (variable: string): string => variable.slice("TOLLWAY_".length).toLowerCase();
const NEVER_IN_FILE = new Set(["admin_key", "key_pepper", "database_token", "master_key", "master_keys_old"]);
const ENDPOINT_SETTING = /^byo_[a-z0-9_]+_(base_url|api_key|models|price)$/;
const ENDPOINT_KEY = /^byo_.*_api_key$/;

/** Flags win over the environment, the environment over the file. Throws `ConfigFaults`. */
export function readConfig(
  env: Environment,
  flags: Environment,
  file: { name: string; text: string } | undefined,
  providers: readonly ProviderEntry[],
): Config {
  const faults: string[] = [];
  const fromFile = file ? readFile(file, providers, faults) : {};
  const present = (source: Environment): Environment =>
    Object.fromEntries(Object.entries(source).filter(([, value]) => value !== undefined && value !== ""));
  const merged: Environment = { ...fromFile, ...present(env), ...present(flags) };
  const parsed = ENVIRONMENT.safeParse(merged);
  if (!parsed.success) for (const issue of parsed.error.issues) faults.push(`${issue.path.join(".")}: ${issue.message}`);
  const connections = readConnections(merged, providers, faults);
  const { TOLLWAY_HOST: host, TOLLWAY_ADMIN_KEY: adminKey } = merged;
  if (host !== undefined && !isLoopback(host) && adminKey === undefined) {
    faults.push(`TOLLWAY_HOST: ${host} opens the gateway to others, and that needs TOLLWAY_ADMIN_KEY`);
  }
  if (merged["TOLLWAY_MASTER_KEY"] !== undefined && merged["TOLLWAY_MASTER_KEY_FILE"] !== undefined)
    faults.push("TOLLWAY_MASTER_KEY_FILE: TOLLWAY_MASTER_KEY is set too; set one of them");
  if (!parsed.success || faults.length > 0) throw new ConfigFaults(faults);
  const read = parsed.data;
  const brand: Brand = {
    namespace: read.TOLLWAY_NAMESPACE,
    keyPrefix: read.TOLLWAY_KEY_PREFIX ?? (read.TOLLWAY_NAMESPACE === TOLLWAY.namespace ? TOLLWAY.keyPrefix : read.TOLLWAY_NAMESPACE),
  };
  return deepFreeze({
    host: read.TOLLWAY_HOST,
    port: read.TOLLWAY_PORT,
    dataFolder: read.TOLLWAY_DATA,
    databaseUrl: read.TOLLWAY_DATABASE_URL ?? `file:${read.TOLLWAY_DATA}/tollway.db`,
    databaseToken: secret(read.TOLLWAY_DATABASE_TOKEN),
    adminKey: secret(read.TOLLWAY_ADMIN_KEY),
    pepper: secret(read.TOLLWAY_KEY_PEPPER),
    masterKey: secret(read.TOLLWAY_MASTER_KEY),
    masterKeyFile: read.TOLLWAY_MASTER_KEY_FILE,
    masterKeysOld: read.TOLLWAY_MASTER_KEYS_OLD.map((text) => new Secret(text)),
    durability: read.TOLLWAY_DURABILITY,
    allowPrivateUpstreams: read.TOLLWAY_ALLOW_PRIVATE_UPSTREAMS,
    logLevel: read.TOLLWAY_LOG,
    connections,
    addresses: addressesOf(merged, providers, connections),
    settings: {
      brand,
      limits: {
        maxBodyBytes: read.TOLLWAY_MAX_BODY_MB * 1024 * 1024,
        maxAnswerBytes: read.TOLLWAY_MAX_ANSWER_MB * 1024 * 1024,
        maxTargets: read.TOLLWAY_MAX_TARGETS,
      },
      deadlines: {
        bodyMs: read.TOLLWAY_BODY_MS,
        firstChunkMs: read.TOLLWAY_FIRST_CHUNK_MS,
        answerMs: read.TOLLWAY_ANSWER_MS,
        idleGapMs: read.TOLLWAY_IDLE_GAP_MS,
        writeStallMs: read.TOLLWAY_WRITE_STALL_MS,
        drainMs: read.TOLLWAY_DRAIN_MS,
      },
    },
  });
}

const secret = (text: string | undefined): Secret | undefined => (text === undefined ? undefined : new Secret(text));

export const isLoopback = (host: string): boolean => host === "localhost" || host === "::1" || /^127\.\d+\.\d+\.\d+$/.test(host);

/** "0.50/1.50": USD per million tokens in and out. */
const PRICE = /^(\d{1,6}(?:\.\d{1,9})?)\/(\d{1,6}(?:\.\d{1,9})?)$/;
/** What a header can carry, without spaces. */
const NO_KEY = /[^\x21-\x7e]/;

function readConnections(env: Environment, providers: readonly ProviderEntry[], faults: string[]): Connection[] {
  const connections: Connection[] = [];
  for (const provider of providers) {
    const variable = baseUrlVariable(provider.name);
    const baseUrl = env[variable] ?? provider.baseUrl;
    const fault = baseUrlFault(baseUrl);
    if (fault) faults.push(`${variable}: ${fault}`);
    const credential = readKey(env, provider.keyVariable, faults);
    if (provider.selfHosted) {
      const models = readModels(env, provider.name);
      if (env[variable] !== undefined) connections.push({ provider: provider.name, baseUrl: trimmed(baseUrl), credential, ...models });
      else if (env[sibling(provider.name, "MODELS")] !== undefined) faults.push(lonely(sibling(provider.name, "MODELS"), variable));
    } else if (credential) connections.push({ provider: provider.name, baseUrl: trimmed(baseUrl), credential });
  }
  return [...connections, ...readEndpoints(env, faults)];
}

/** Self-hosted providers are nowhere until the operator says where. */
const addressesOf = (env: Environment, providers: readonly ProviderEntry[], connections: readonly Connection[]): Record<string, string> =>
  Object.fromEntries([
    ...providers
      .filter(({ name, selfHosted }) => !selfHosted || env[baseUrlVariable(name)] !== undefined)
      .map(({ name, baseUrl }) => [name, trimmed(env[baseUrlVariable(name)] ?? baseUrl)]),
    ...connections.map(({ provider, baseUrl }) => [provider, baseUrl]),
  ]);

const trimmed = (baseUrl: string): string => baseUrl.replace(/\/+$/, "");

function readKey(env: Environment, variable: string, faults: string[]): Secret | undefined {
  const key = env[variable];
  if (key === undefined) return undefined;
  if (NO_KEY.test(key)) faults.push(`${variable}: holds a space or a character that no key has`);
  return new Secret(key);
}

/** Another variable of the same provider: TOLLWAY_VLLM_MODELS. */
const sibling = (provider: string, ending: string): string => baseUrlVariable(provider).replace(/BASE_URL$/, ending);
const lonely = (variable: string, address: string): string => `${variable}: belongs to an address, and ${address} is not set`;

/** Ids with commas between them. `prefix`: what callers write before them. */
function readModels(env: Environment, provider: string, prefix = ""): Pick<Connection, "models"> {
  const text = env[sibling(provider, "MODELS")];
  if (text === undefined) return {};
  const ids = text.split(",").map((id) => id.trim());
  return { models: [...new Set(ids.filter((id) => id !== ""))].map((id) => `${prefix}${id}`) };
}

const ENDPOINT_VARIABLE = /^TOLLWAY_BYO_(.*?)_?(BASE_URL|API_KEY|MODELS|PRICE)$/;
/** As an environment can name it; the slug has a dash for each underscore. */
const ENDPOINT_NAME = /^[A-Z0-9]+(?:_[A-Z0-9]+)*$/;

/** Endpoints of the operator's: TOLLWAY_BYO_<NAME>_BASE_URL connects "byo:<name>". */
function readEndpoints(env: Environment, faults: string[]): Connection[] {
  const connections: Connection[] = [];
  for (const variable of Object.keys(env)
    .filter((name) => name.startsWith("TOLLWAY_BYO_"))
    .sort()) {
    const [, name = "", what] = ENDPOINT_VARIABLE.exec(variable) ?? [];
    if (what === undefined || !ENDPOINT_NAME.test(name)) {
      faults.push(`${variable}: takes the form TOLLWAY_BYO_<NAME>_BASE_URL, _API_KEY, _MODELS or _PRICE, the name of A-Z 0-9 _`);
      continue;
    }
    const provider = `byo:${name.toLowerCase().replaceAll("_", "-")}`;
    const address = baseUrlVariable(provider);
    if (what !== "BASE_URL") {
      if (env[address] === undefined) faults.push(lonely(variable, address));
      continue;
    }
    const baseUrl = env[variable] ?? "";
    const fault = baseUrlFault(baseUrl);
    if (fault) faults.push(`${variable}: ${fault}`);
    const credential = readKey(env, sibling(provider, "API_KEY"), faults);
    const price = readPrice(env, sibling(provider, "PRICE"), faults);
    connections.push({ provider, baseUrl: trimmed(baseUrl), credential, ...readModels(env, provider, `${provider}/`), ...price });
  }
  return connections;
}

function readPrice(env: Environment, variable: string, faults: string[]): Pick<Connection, "price"> {
  const text = env[variable];
  if (text === undefined) return {};
  const [, input, output] = PRICE.exec(text) ?? [];
  if (input !== undefined && output !== undefined) return { price: { input, output } };
  faults.push(`${variable}: takes USD per million tokens in and out, as in 0.50/1.50`);
  return {};
}

/** The file's settings under their environment names. */
function readFile(file: SettingsFile, providers: readonly ProviderEntry[], faults: string[]): Record<string, string> {
  const content = parseFile(file, faults);
  if (content === null || content === undefined) return {};
  if (typeof content !== "object" || Array.isArray(content)) {
    faults.push(`${file.name}: takes a map of settings`);
    return {};
  }
  const addresses = providers.map(({ name }) => baseUrlVariable(name));
  const lists = providers.filter(({ selfHosted }) => selfHosted).map(({ name }) => sibling(name, "MODELS"));
  const known = new Set([...Object.keys(ENVIRONMENT.shape), ...addresses, ...lists].map(fileName));
  const settings: Record<string, string> = {};
  for (const [name, value] of Object.entries(content)) {
    if (SETUP_SECTIONS.includes(name)) continue;
    if (!known.has(name) && !ENDPOINT_SETTING.test(name)) faults.push(`${file.name}: "${name}" is not a setting`);
    else if (NEVER_IN_FILE.has(name) || ENDPOINT_KEY.test(name))
      faults.push(`${file.name}: "${name}" is a secret; set TOLLWAY_${name.toUpperCase()} in the environment`);
    else if (typeof value === "object") faults.push(`${file.name}: "${name}" takes a plain value`);
    else settings[`TOLLWAY_${name.toUpperCase()}`] = String(value);
  }
  return settings;
}

/** The file as a value; undefined, with faults, where it is no YAML. */
function parseFile(file: SettingsFile, faults: string[]): unknown {
  const document = parseYaml(file, faults);
  return document && plainOf(document, file, faults);
}

function parseYaml(file: SettingsFile, faults: string[], lineCounter = new LineCounter()): Document | undefined {
  const document = parseDocument(file.text, { prettyErrors: true, lineCounter });
  const problems = [...document.errors, ...document.warnings];
  for (const problem of problems) faults.push(`${file.name}: ${problem.message.split("\n")[0]}`);
  return problems.length > 0 ? undefined : document;
}

function plainOf(document: Document, file: SettingsFile, faults: string[]): unknown {
  try {
    return document.toJS();
  } catch (thrown) {
    // Aliases are followed only now: one without its anchor, or too many of them.
    faults.push(`${file.name}: ${thrown instanceof Error ? thrown.message : String(thrown)}`);
    return undefined;
  }
}

interface SettingsFile {
  name: string;
  text: string;
}

/** What `tollway apply` sets up. The gateway itself passes these sections over when it starts. */
const SETUP_SECTIONS: readonly string[] = ["organizations", "teams", "projects", "keys", "limits", "budgets"];

export interface Setup {
  /** By their names; amounts as they were written. */
  readonly sections: Readonly<Record<string, unknown>>;
  /** Where a field stands ("budgets[0].limit_usd"), or else what is around it: "12:5", line and column. */
  placeOf(param: string): string;
}

/** The sections of a file. Settings beside them are the gateway's own, and are passed over. Throws `ConfigFaults`. */
export function readSetup(file: SettingsFile): Setup {
  const faults: string[] = [];
  const lineCounter = new LineCounter();
  const document = parseYaml(file, faults, lineCounter);
  if (document) keepAmounts(document);
  const content = document && plainOf(document, file, faults);
  if (content !== null && content !== undefined && (typeof content !== "object" || Array.isArray(content)))
    faults.push(`${file.name}: takes a map of sections`);
  const entries = faults.length > 0 ? [] : Object.entries(content ?? {});
  for (const [name, value] of entries) {
    if (typeof value === "object" && value !== null && !SETUP_SECTIONS.includes(name))
      faults.push(`${file.name}: "${name}" is no section; there are ${SETUP_SECTIONS.join(", ")}`);
  }
  if (!document || faults.length > 0) throw new ConfigFaults(faults);
  const sections = Object.fromEntries(entries.filter(([name]) => SETUP_SECTIONS.includes(name)));
  return { sections, placeOf: (param) => placeIn(document, param, lineCounter) };
}

/** Numbers of amounts become the text that stands in the file: no digit of them passes through a float. */
function keepAmounts(document: Document): void {
  visit(document, {
    Pair(_, { key, value }) {
      if (!isScalar(key) || !/_(usd|percent)$/.test(String(key.value))) return;
      if (isScalar(value) && typeof value.value === "number" && value.source !== undefined) value.value = value.source;
    },
  });
}

function placeIn(document: Document, param: string, lineCounter: LineCounter): string {
  const path = param.split(/[.[\]]+/).filter((part) => part !== "");
  for (let length = path.length; length > 0; length--) {
    const node = document.getIn(
      path.slice(0, length).map((part) => (/^\d+$/.test(part) ? Number(part) : part)),
      true,
    );
    const start = isNode(node) ? node.range?.[0] : undefined;
    if (start === undefined) continue;
    const { line, col } = lineCounter.linePos(start);
    return `${line}:${col}`;
  }
  return "1:1";
}

function deepFreeze<T>(value: T): T {
  if (typeof value !== "object" || value === null || value instanceof Secret || Object.isFrozen(value)) return value;
  Object.freeze(value);
  for (const inner of Object.values(value)) deepFreeze(inner);
  return value;
}
