// The composition root: reads the command line and the environment, builds the ports, listens, drains. The only file that
// may touch everything.
import { chmodSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { renderUsage, runCommand } from "citty";
import manifest from "../package.json" with { type: "json" };
import { type Courier, openCourier } from "./admin/courier";
import { sealedRows } from "./admin/sealed";
import { type AdminCall, adminCallOver, CommandFailed, type Output } from "./cli/admin-call";
import { checkArguments, commandAsked, type Doing, tollwayCommand, withDefaultCommand } from "./cli/command";
import type { SecretSource } from "./cli/secret-source";
import { type Config, ConfigFaults, readConfig } from "./config";
import type { Clock, Ports } from "./core/ports";
import { Secret } from "./core/secret";
import type { Vault } from "./core/vault";
import { lineMemory } from "./gateway/live-calls";
import { openApp } from "./http/app";
import { guarded } from "./http/guard";
import type { House } from "./http/routes";
import { openDial } from "./net/dial";
import { type Listening, listen } from "./net/listen";
import { openNotify } from "./net/notify";
import { idsFrom, systemClock, systemRandom } from "./net/system";
import { BudgetBook } from "./policy/budget-book";
import { ItemMemory } from "./policy/item-memory";
import { RetryBudget } from "./policy/retry";
import { PROVIDERS } from "./providers/registry";
import { AccountConnections } from "./store/connections";
import { masterKeysFrom } from "./store/master-key";
import { openStore } from "./store/open";
import { openPrices } from "./store/prices";
import { type Store, storePorts } from "./store/store";
import { StoreRefused } from "./store/store-refused";
import { openVault } from "./store/vault";
import { type LineLog, openLog } from "./telemetry/log";

/** In the compiled binary every module's folder is the root of the embedded files. */
const MIGRATIONS = join(import.meta.dir, Bun.isStandaloneExecutable ? "drizzle" : "../drizzle");
const CHECKPOINT_WORKER = Bun.isStandaloneExecutable
  ? "./store/checkpoint-worker.ts"
  : new URL("./store/checkpoint-worker.ts", import.meta.url);
const ANALYTICS_WORKER = Bun.isStandaloneExecutable
  ? "./store/analytics-worker.ts"
  : new URL("./store/analytics-worker.ts", import.meta.url);
/** What the operator types to run this. */
const PROGRAM = Bun.isStandaloneExecutable ? "tollway" : "npx bun src/main.ts";
const ADMIN_SOCKET = "admin.sock";
const PEPPER_FILE = "pepper";
const SETTINGS_FILE = "tollway.yaml";
/** Requests that Bun's fetch has in flight at once; read by the runtime before any code runs. */
const FETCH_LIMIT = { name: "BUN_CONFIG_MAX_HTTP_REQUESTS", value: "65336" };
const GRACE_MS = 30_000;
const IDLE_LOOK_MS = 20;
/** How long the last error events get to leave after the grace. */
const LAST_WORDS_MS = 2_000;

type Flags = { port?: string | undefined; host?: string | undefined; data?: string | undefined; config?: string | undefined };

const output: Output = {
  data: (line) => void process.stdout.write(`${line}\n`),
  message: (line) => void process.stderr.write(`${line}\n`),
};

const secrets: SecretSource = {
  variable: (name) => process.env[name],
  input: async () => (process.stdin.isTTY ? undefined : Bun.stdin.text()),
};

/** Below this a pepper is what a crash or a slip has left of one. */
const PEPPER_MIN_CHARACTERS = 32;
/** What a machine says of a path or a port that the operator named. */
const OPERATORS_CODES = new Set([
  "EADDRINUSE",
  "EACCES",
  "EPERM",
  "EROFS",
  "ENOSPC",
  "ENOENT",
  "EEXIST",
  "ENOTDIR",
  "EISDIR",
  "ELOOP",
  "ENAMETOOLONG",
]);

function configFrom(flags: Flags): Config {
  const file = flags.config ?? (existsSync(SETTINGS_FILE) ? SETTINGS_FILE : undefined);
  return readConfig(
    process.env,
    { TOLLWAY_PORT: flags.port, TOLLWAY_HOST: flags.host, TOLLWAY_DATA: flags.data },
    file === undefined ? undefined : { name: file, text: readFileSync(file, "utf8") },
    PROVIDERS,
  );
}

/** The key hash's pepper: the operator's, or one made once for this folder and readable only by its owner. */
function pepperFor(config: Config): Secret {
  if (config.pepper) return config.pepper;
  const path = join(config.dataFolder, PEPPER_FILE);
  if (!existsSync(path)) writeFileSync(path, Buffer.from(systemRandom.bytes(32)).toString("hex"), { mode: 0o600, flag: "wx" });
  const pepper = readFileSync(path, "utf8").trim();
  if (pepper.length < PEPPER_MIN_CHARACTERS) {
    throw new StoreRefused(`${path} is not whole: keys are hashed with it. Restore it from a backup, or set TOLLWAY_KEY_PEPPER.`);
  }
  return new Secret(pepper);
}

interface Gateway {
  config: Config;
  ports: Ports;
  store: Store;
  house: House;
  log: LineLog;
  courier: Courier;
  /** Ends what is still open. */
  stopNow: AbortController;
  /** From here on /readyz says no. */
  drain(): void;
}

async function openGateway(config: Config): Promise<Gateway> {
  mkdirSync(config.dataFolder, { recursive: true, mode: 0o700 });
  const log = openLog(config.logLevel, systemClock, (lines) => process.stderr.write(lines));
  const store = await openStore({
    url: config.databaseUrl,
    authToken: config.databaseToken,
    migrationsFolder: MIGRATIONS,
    durability: config.durability,
    pepper: pepperFor(config),
    keyPrefix: config.settings.brand.keyPrefix,
    reservations: new BudgetBook(),
    clock: systemClock,
    random: systemRandom,
    log,
    checkpointWorker: CHECKPOINT_WORKER,
    analyticsWorker: ANALYTICS_WORKER,
  });
  const vault = await openedVault(config, store);
  const stopNow = new AbortController();
  const beside: Omit<Ports, "events"> = {
    stopping: stopNow.signal,
    settings: config.settings,
    connections: new AccountConnections({
      fromEnvironment: config.connections,
      addresses: config.addresses,
      directory: store.directory,
      vault,
      clock: systemClock,
      log,
    }),
    clock: systemClock,
    random: systemRandom,
    ids: idsFrom(systemClock),
    dial: openDial({ allowPrivate: config.allowPrivateUpstreams, elapsedMs: systemClock.elapsedMs }),
    retries: new RetryBudget(),
    items: new ItemMemory(systemClock),
    ...lineMemory(),
    ...storePorts(store, openPrices({ endpoints: config.connections })),
    vault,
    notify: openNotify({ allowPrivate: config.allowPrivateUpstreams, clock: systemClock }),
    log,
  };
  const courier = openCourier(beside);
  const ports: Ports = { ...beside, events: courier };
  let draining = false;
  const house: House = {
    ports,
    everyProvider: PROVIDERS.map((provider) => provider.name),
    version: manifest.version,
    readiness() {
      if (draining) return { ready: false, reason: "stopping" };
      return store.trouble() ? { ready: false, reason: "storage" } : { ready: true };
    },
  };
  const drain = (): void => {
    draining = true;
  };
  return { config, ports, store, house, log, courier, stopNow, drain };
}

/** Refuses to start where what is sealed could not be opened. */
async function openedVault(config: Config, store: Store): Promise<Vault> {
  try {
    const needed = sealedRows(store.directory).flatMap(({ values }) => values.map(({ value }) => value.masterKeyId));
    return openVault({ ...masterKeysFrom(config, needed, systemRandom), random: systemRandom });
  } catch (thrown) {
    await store.close();
    throw thrown;
  }
}

async function serve(flags: Flags): Promise<void> {
  const config = configFrom(flags);
  const gateway = await openGateway(config);
  const { ports, house } = gateway;
  const app = openApp(house, { adminKey: config.adminKey, trusted: false });
  const server = listen({ at: { hostname: config.host, port: config.port }, handle: guarded(app, ports) });
  const socket = listenForOperator(gateway);
  const url = `http://${config.host.includes(":") ? `[${config.host}]` : config.host}:${server.port}`;
  for (const name of ["SIGTERM", "SIGINT"] as const) process.once(name, () => void stop(gateway, [server, socket]).catch(stopFailed));
  await gateway.courier.start();
  await greet(gateway, url);
  output.data(`ready ${url}`);
}

/** The operator's own door: a socket in the data folder that only its owner may open. */
function listenForOperator(gateway: Gateway): Listening {
  const path = join(gateway.config.dataFolder, ADMIN_SOCKET);
  rmSync(path, { force: true });
  const socket = listen({ at: { unix: path }, handle: openApp(gateway.house, { adminKey: undefined, trusted: true }) });
  chmodSync(path, 0o600);
  return socket;
}

/** The first few of the rows', as an example. */
const keyVariables = (): string =>
  `${PROVIDERS.slice(0, 3)
    .map((provider) => provider.keyVariable)
    .join(", ")} …`;

/** What a newcomer needs to see: where it is, a key that works, a line to paste. */
async function greet({ config, ports }: Gateway, url: string): Promise<void> {
  const { namespace } = config.settings.brand;
  output.message(`${namespace} ${manifest.version}   ${url}/v1   data in ${config.dataFolder}`);
  for (const { provider, baseUrl } of config.connections) output.message(`  connected ${provider} (${new URL(baseUrl).host})`);
  if (config.connections.length === 0)
    output.message(`  no provider is connected: set a key (${keyVariables()}), or TOLLWAY_OLLAMA_BASE_URL`);
  if (config.adminKey) return;
  const { key, plain } = await ports.keys.quickstart();
  if (key.revokedAt !== undefined) return;
  output.message(`\nA test key that works at once, on the built-in simulator:\n\n  ${plain.reveal()}\n\nTry it:\n`);
  output.message(
    `  curl ${url}/v1/chat/completions \\\n    -H "Authorization: Bearer ${plain.reveal()}" \\\n    -H "Content-Type: application/json" \\\n    -d '{"model": "auto", "messages": [{"role": "user", "content": "Hello!"}]}'\n`,
  );
  output.message(`For real calls: ${PROGRAM} keys create --name "my app"\n`);
}

/** Calls in flight finish; at the end of the grace they are told; every attempt is settled before the exit. */
async function stop(gateway: Gateway, servers: readonly Listening[]): Promise<void> {
  const { ports, store, stopNow } = gateway;
  gateway.drain();
  const finished = Promise.all(servers.map((server) => server.stop()));
  await Promise.race([finished, idle(servers, ports.clock), ports.clock.sleep(GRACE_MS)]);
  stopNow.abort();
  await Promise.race([finished, ports.clock.sleep(LAST_WORDS_MS)]);
  await Promise.all(servers.map((server) => server.close()));
  while (ports.holds.openCount() > 0) await ports.clock.sleep(10);
  await ports.ledger.drain();
  gateway.courier.stop();
  await store.close();
  gateway.log.flush();
  rmSync(join(gateway.config.dataFolder, ADMIN_SOCKET), { force: true });
  process.exit(0);
}

/** The database is away: what it did not get stays held there, and is charged at the next start. */
function stopFailed(thrown: unknown): void {
  const words = thrown instanceof Error ? thrown.message : String(thrown);
  output.message(`tollway: Not every call could be written (${words}). What is missing is charged at the next start.`);
  process.exit(1);
}

/** Resolves when no answer is on its way: a caller that never finishes its request's head keeps the server from stopping, not from ending. */
async function idle(servers: readonly Listening[], clock: Clock): Promise<void> {
  while (servers.some((server) => server.pending() > 0)) await clock.sleep(IDLE_LOOK_MS);
}

/** Asks the running server through its socket; where none runs, opens the data for this one call. */
const admin =
  (flags: { data?: string | undefined }): AdminCall =>
  async (method, path, body) => {
    const config = configFrom({ data: flags.data });
    const socket = join(config.dataFolder, ADMIN_SOCKET);
    if (existsSync(socket)) {
      try {
        return await adminCallOver((request) => fetch(request, { unix: socket }))(method, path, body);
      } catch (thrown) {
        // A socket that nobody listens on is what a killed server leaves behind.
        if (thrown instanceof CommandFailed) throw thrown;
      }
    }
    const gateway = await openGateway({ ...config, logLevel: "warn" });
    try {
      return await adminCallOver(openApp(gateway.house, { adminKey: undefined, trusted: true }))(method, path, body);
    } finally {
      await gateway.store.close();
      gateway.log.flush();
    }
  };

/** As `admin`, for answers that are files. */
const files: Doing["files"] = {
  async download(flags, path, use) {
    const config = configFrom({ data: flags.data });
    const request = new Request(`http://gateway.invalid${path}`);
    const running = await answerOfRunning(join(config.dataFolder, ADMIN_SOCKET), request);
    if (running !== undefined) return use(running);
    const gateway = await openGateway({ ...config, logLevel: "warn" });
    try {
      return await use(await openApp(gateway.house, { adminKey: undefined, trusted: true })(request));
    } finally {
      await gateway.store.close();
      gateway.log.flush();
    }
  },
  stdout: (bytes) => new Promise((resolve, reject) => process.stdout.write(bytes, (error) => (error ? reject(error) : resolve()))),
  // A line in place of the last one is for people only: a log would fill with them.
  progress: process.stderr.isTTY ? (line) => void process.stderr.write(`\r\x1b[K${line}`) : undefined,
};

/** undefined: nobody answers there, not even a killed server's socket. */
async function answerOfRunning(socket: string, request: Request): Promise<Response | undefined> {
  if (!existsSync(socket)) return undefined;
  try {
    return await fetch(request, { unix: socket });
  } catch {
    return undefined;
  }
}

async function main(args: readonly string[]): Promise<void> {
  const root = tollwayCommand({ files, serve, admin, output, version: manifest.version, secrets });
  const rawArgs = withDefaultCommand(args);
  if (rawArgs[0] === "--version" || rawArgs[0] === "-v") return output.data(manifest.version);
  const asked = await commandAsked(root, rawArgs);
  if (asked.rest.includes("--help") || asked.rest.includes("-h")) {
    const usage = await renderUsage({ ...asked.command, meta: { ...asked.command.meta, name: asked.name } });
    return output.data(process.stdout.isTTY ? usage : Bun.stripANSI(usage));
  }
  await checkArguments(asked);
  if (rawArgs[0] === "serve" && process.env[FETCH_LIMIT.name] === undefined) restartWithFetchLimit();
  await runCommand(root, { rawArgs });
}

/** Replaces this process by itself with the limit in its environment, which is read before any code runs. */
function restartWithFetchLimit(): void {
  const args = Bun.isStandaloneExecutable ? process.argv.slice(2) : [...process.execArgv, ...process.argv.slice(1)];
  process.execve?.(process.execPath, [process.execPath, ...args], { ...process.env, [FETCH_LIMIT.name]: FETCH_LIMIT.value });
}

/** Faults of the operator's making are told in one line; anything else with its trace. */
function tell(thrown: unknown): void {
  const expected = thrown instanceof ConfigFaults || thrown instanceof StoreRefused || thrown instanceof CommandFailed;
  const code = thrown instanceof Error && "code" in thrown ? String(thrown.code) : "";
  if (expected || OPERATORS_CODES.has(code) || (thrown instanceof Error && thrown.name === "CLIError"))
    output.message(`tollway: ${(thrown as Error).message}`);
  else output.message(`tollway: ${thrown instanceof Error ? (thrown.stack ?? thrown.message) : String(thrown)}`);
}

// What this process writes is for its owner alone, in a data folder that others may read too: databases, their logs, the socket.
process.umask(0o077);
main(process.argv.slice(2)).catch((thrown: unknown) => {
  tell(thrown);
  process.exit(1);
});
