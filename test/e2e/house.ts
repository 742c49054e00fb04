// A gateway in this process, over real sockets, on any store and any clock: what the end-to-end tests start.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { openCourier } from "../../src/admin/courier";
import { TOLLWAY } from "../../src/core/brand";
import type { Events } from "../../src/core/event";
import type { Clock, Log, Ports } from "../../src/core/ports";
import { Secret } from "../../src/core/secret";
import type { Connection, Deadlines, Settings } from "../../src/core/settings";
import { lineMemory } from "../../src/gateway/live-calls";
import { openApp } from "../../src/http/app";
import { guarded } from "../../src/http/guard";
import type { House } from "../../src/http/routes";
import { openDial } from "../../src/net/dial";
import { listen } from "../../src/net/listen";
import { openNotify } from "../../src/net/notify";
import { idsFrom, systemClock, systemRandom } from "../../src/net/system";
import { BudgetBook } from "../../src/policy/budget-book";
import { ItemMemory } from "../../src/policy/item-memory";
import { RetryBudget } from "../../src/policy/retry";
import { PROVIDERS, providerNamed } from "../../src/providers/registry";
import { AccountConnections } from "../../src/store/connections";
import { type MemoryData, openMemoryStore } from "../../src/store/memory";
import { openStore } from "../../src/store/open";
import { openPrices } from "../../src/store/prices";
import { type Store, storePorts } from "../../src/store/store";
import { openVault } from "../../src/store/vault";
import { keptLog } from "../contract/manual-clock";

export const ADMIN_KEY = "admin-key-of-the-tests";

/** Always the same: what a test's store has sealed, another house over it can open. */
const MASTER_KEY = new Uint8Array(32).fill(7);

export const DEADLINES: Deadlines = {
  bodyMs: 5_000,
  firstChunkMs: 20_000,
  answerMs: 20_000,
  idleGapMs: 20_000,
  writeStallMs: 20_000,
  drainMs: 5_000,
};

/** For gateways without webhooks. */
export const SILENT_EVENTS: Events = {
  emit: () => undefined,
  sendTo: () => Promise.reject(new Error("No courier is here")),
  again: async () => undefined,
};

export interface HouseOptions {
  /** Base of the replay upstream; every provider is connected to it, or those that `connect` names. */
  upstream?: string | undefined;
  connect?: readonly string[] | undefined;
  /** In place of `upstream`: the operator's own connections, with their models and prices. */
  endpoints?: readonly Connection[] | undefined;
  store?: { kind: "memory"; data?: MemoryData } | { kind: "file" } | { kind: "remote"; url: string } | undefined;
  clock?: Clock | undefined;
  settings?: { limits?: Partial<Settings["limits"]>; deadlines?: Partial<Deadlines>; brand?: Settings["brand"] } | undefined;
  /** Changes ports before they are used: a test's own prices, a decorated dial. */
  adapt?: ((ports: Ports) => Ports) | undefined;
}

export interface RunningHouse {
  url: string;
  ports: Ports;
  store: Store;
  log: Log & { lines: { level: string; event: string; facts: Readonly<Record<string, unknown>> }[] };
  /** Makes a key through the admin door. */
  key(mode?: "live" | "test"): Promise<string>;
  /** POST /v1/chat/completions. */
  chat(key: string, body: unknown, init?: RequestInit): Promise<Response>;
  get(key: string, path: string): Promise<Response>;
  stopNow: AbortController;
  /** Waits until no hold is open and everything is written. */
  settled(): Promise<void>;
  close(): Promise<void>;
}

/** Each under its own prefix ("/openai/v1"), endpoints ("byo:acme") under "/v1". */
export function connectionsTo(upstream: string, names: readonly string[] = PROVIDERS.map(({ name }) => name)): Connection[] {
  return names.map((provider) => {
    const { baseUrl } = providerNamed(provider);
    const prefix = baseUrl === "" ? "/v1" : new URL(baseUrl).pathname.replace(/\/$/, "");
    return { provider, baseUrl: `${upstream}${prefix}`, credential: new Secret(`sk-upstream-${provider}`) };
  });
}

export async function startHouse(options: HouseOptions = {}): Promise<RunningHouse> {
  const clock = options.clock ?? systemClock;
  const log = keptLog();
  const folder = mkdtempSync(join(tmpdir(), "tollway-house-"));
  const store = await openStoreFor(options.store ?? { kind: "memory" }, folder, clock, log);
  const stopNow = new AbortController();
  const settings: Settings = {
    brand: options.settings?.brand ?? TOLLWAY,
    limits: { maxBodyBytes: 64 * 1024 * 1024, maxAnswerBytes: 64 * 1024 * 1024, maxTargets: 4, ...options.settings?.limits },
    deadlines: { ...DEADLINES, ...options.settings?.deadlines },
  };
  const connections = options.endpoints ?? (options.upstream === undefined ? [] : connectionsTo(options.upstream, options.connect));
  const addresses = Object.fromEntries(
    connectionsTo(options.upstream ?? "http://upstream.invalid").map((one) => [one.provider, one.baseUrl]),
  );
  const vault = openVault({ current: MASTER_KEY, random: systemRandom });
  const plain: Ports = {
    stopping: stopNow.signal,
    settings,
    connections: new AccountConnections({ fromEnvironment: connections, addresses, directory: store.directory, vault, clock, log }),
    clock,
    random: systemRandom,
    ids: idsFrom(clock),
    dial: openDial({ allowPrivate: true, elapsedMs: clock.elapsedMs.bind(clock) }),
    retries: new RetryBudget(),
    items: new ItemMemory(clock),
    ...lineMemory(),
    ...storePorts(store, openPrices({ endpoints: connections })),
    vault,
    notify: openNotify({ allowPrivate: true, clock }),
    events: SILENT_EVENTS,
    log,
  };
  const adapted = options.adapt?.(plain) ?? plain;
  const courier = openCourier(adapted);
  const ports: Ports = { ...adapted, events: courier };
  await courier.start();
  const house: House = {
    ports,
    everyProvider: PROVIDERS.map((provider) => provider.name),
    version: "test",
    readiness: () => ({ ready: true }),
  };
  const app = openApp(house, { adminKey: new Secret(ADMIN_KEY), trusted: false });
  const server = listen({ at: { hostname: "127.0.0.1", port: 0 }, handle: guarded(app, ports) });
  const url = `http://127.0.0.1:${server.port}`;
  return {
    url,
    ports,
    store,
    log,
    stopNow,
    async key(mode = "live") {
      const response = await fetch(`${url}/admin/v1/keys`, {
        method: "POST",
        headers: { authorization: `Bearer ${ADMIN_KEY}`, "content-type": "application/json" },
        body: JSON.stringify({ name: `of a test ${crypto.randomUUID()}`, mode }),
      });
      if (!response.ok) throw new Error(await response.text());
      return ((await response.json()) as { key: string }).key;
    },
    chat: (key, body, init) =>
      fetch(`${url}/v1/chat/completions`, {
        method: "POST",
        body: typeof body === "string" || body instanceof Uint8Array ? (body as BodyInit) : JSON.stringify(body),
        ...init,
        headers: { authorization: `Bearer ${key}`, "content-type": "application/json", ...init?.headers },
      }),
    get: (key, path) => fetch(`${url}${path}`, { headers: { authorization: `Bearer ${key}` } }),
    async settled() {
      while (ports.holds.openCount() > 0) await new Promise((resolve) => setImmediate(resolve));
      await ports.ledger.drain();
    },
    async close() {
      stopNow.abort();
      courier.stop();
      await server.close();
      await store.close();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

async function openStoreFor(kind: NonNullable<HouseOptions["store"]>, folder: string, clock: Clock, log: Log): Promise<Store> {
  const shared = {
    clock,
    random: systemRandom,
    log,
    pepper: new Secret("pepper-of-the-tests-0123456789abcdef"),
    keyPrefix: "tw",
    reservations: new BudgetBook(),
  };
  if (kind.kind === "memory") return openMemoryStore({ ...shared, data: kind.data });
  return openStore({
    ...shared,
    url: kind.kind === "file" ? `file:${join(folder, "tollway.db")}` : kind.url,
    migrationsFolder: join(import.meta.dir, "../../drizzle"),
    durability: "normal",
  });
}
