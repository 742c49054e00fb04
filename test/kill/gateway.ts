// A gateway that kills itself (SIGKILL) at a chosen point of an attempt's life: the real line, store and sockets, with ports that
// watch for the moment. Arguments: data folder, upstream, kill point, how many times the point is passed before.
import { join } from "node:path";
import { TOLLWAY } from "../../src/core/brand";
import type { Scope, Window } from "../../src/core/budget";
import type { DialResponse, Ports } from "../../src/core/ports";
import { Secret } from "../../src/core/secret";
import { lineMemory } from "../../src/gateway/live-calls";
import { openApp } from "../../src/http/app";
import { openDial } from "../../src/net/dial";
import { listen } from "../../src/net/listen";
import { openNotify } from "../../src/net/notify";
import { idsFrom, systemClock, systemRandom } from "../../src/net/system";
import { BudgetBook } from "../../src/policy/budget-book";
import { ItemMemory } from "../../src/policy/item-memory";
import { RetryBudget } from "../../src/policy/retry";
import { PROVIDERS } from "../../src/providers/registry";
import { openStore } from "../../src/store/open";
import { openPrices } from "../../src/store/prices";
import { storePorts } from "../../src/store/store";
import { openVault } from "../../src/store/vault";
import { usd } from "../e2e/governed";
import { connectionsTo, DEADLINES, SILENT_EVENTS } from "../e2e/house";
import { isKillPoint, type KillPoint } from "./kill-point";

const [folder = "", upstream = "", point = "", passes = "0"] = process.argv.slice(2);
if (!isKillPoint(point)) throw new Error(`No kill point is named ${point}`);

let left = Number(passes);
function passing(here: KillPoint): void {
  if (here === point && left-- === 0) process.kill(process.pid, "SIGKILL");
}

const log = { write: () => undefined };
const store = await openStore({
  url: `file:${join(folder, "tollway.db")}`,
  migrationsFolder: join(import.meta.dir, "../../drizzle"),
  durability: "normal",
  pepper: new Secret("pepper-of-the-kill-test-0123456789"),
  keyPrefix: TOLLWAY.keyPrefix,
  reservations: new BudgetBook(),
  clock: systemClock,
  random: systemRandom,
  log,
});
const dial = openDial({ allowPrivate: true, elapsedMs: systemClock.elapsedMs });

function watched(response: DialResponse): DialResponse {
  const watch = new TransformStream<Uint8Array, Uint8Array>({
    transform(chunk, controller) {
      controller.enqueue(chunk);
      passing("mid-stream");
    },
  });
  let piped: DialResponse["body"];
  // Only a stream is watched: whoever takes the whole answer must find its body untouched.
  return {
    ...response,
    get body() {
      piped ??= response.body?.pipeThrough(watch);
      return piped;
    },
  };
}

const ports: Ports = {
  stopping: new AbortController().signal,
  settings: { brand: TOLLWAY, limits: { maxBodyBytes: 1 << 20, maxAnswerBytes: 1 << 20, maxTargets: 4 }, deadlines: DEADLINES },
  connections: { connected: () => connectionsTo(upstream), address: () => undefined },
  clock: systemClock,
  random: systemRandom,
  ids: idsFrom(systemClock),
  dial: {
    async send(request, signal) {
      const response = await dial.send(request, signal);
      passing("after dispatch");
      return watched(response);
    },
  },
  retries: new RetryBudget(),
  items: new ItemMemory(systemClock),
  ...lineMemory(),
  ...storePorts(store, openPrices()),
  vault: openVault({ current: systemRandom.bytes(32), random: systemRandom }),
  notify: openNotify({ allowPrivate: true, clock: systemClock }),
  events: SILENT_EVENTS,
  holds: {
    async open(attempt) {
      passing("before commit 1");
      await store.holds.open(attempt);
      passing("after commit 1");
    },
    openCount: () => store.holds.openCount(),
  },
  ledger: {
    async settle(attempt, outcome) {
      passing("before commit 2");
      await store.ledger.settle(attempt, outcome);
      passing("after commit 2");
    },
    drain: () => store.ledger.drain(),
  },
  log,
};

const house = {
  ports,
  everyProvider: PROVIDERS.map((provider) => provider.name),
  version: "kill",
  readiness: () => ({ ready: true }) as const,
};
const server = listen({ at: { hostname: "127.0.0.1", port: 0 }, handle: openApp(house, { adminKey: undefined, trusted: true }) });
// Hard budgets on key, project and organization, in several windows: room for every call, and a key whose cap is refused at.
const organizationId = "default";
const createdAt = systemClock.now();
await store.directory.put("project", { id: "proj_kill", organizationId, createdAt, name: "kill" });
const policy = { projectId: "proj_kill" };
const roomy = await store.keys.create({ organizationId, name: "roomy", mode: "live", policy });
const tight = await store.keys.create({ organizationId, name: "tight", mode: "live", policy });
const BUDGETS: readonly [Scope, string, Window["unit"], boolean][] = [
  [{ kind: "organization", id: organizationId }, "2", "lifetime", false],
  [{ kind: "organization", id: organizationId }, "1.5", "month", false],
  [{ kind: "project", id: "proj_kill" }, "1", "week", false],
  [{ kind: "key", id: roomy.key.id }, "1", "day", false],
  [{ kind: "key", id: roomy.key.id }, "1", "hour", true],
  [{ kind: "key", id: tight.key.id }, "0.0004", "lifetime", false],
];
for (const [n, [scope, limit, unit, rolling]] of BUDGETS.entries()) {
  const window = { unit, rolling, zone: "Asia/Kathmandu" };
  const made = { id: `bdg_kill_${n}`, organizationId, scope, window, hard: true, thresholds: [], createdAt };
  await store.budgets.put({ ...made, limit: usd(limit) });
}
process.stdout.write(`${JSON.stringify({ port: server.port, roomy: roomy.plain.reveal(), tight: tight.plain.reveal() })}\n`);
