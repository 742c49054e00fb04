// The headline of hard budgets where more happens at once: on a file, and with limits that change while calls are under way.
import { afterEach, describe, expect, test } from "bun:test";
import type { Budget } from "../../src/core/budget";
import type { Ports } from "../../src/core/ports";
import { rawConnect, rawPost } from "../upstream/raw-client";
import { DIME, type Governed, startGoverned, usd } from "./governed";

let running: Governed | undefined;
afterEach(async () => {
  expect(running?.upstream.problems ?? []).toEqual([]);
  await running?.close();
  running = undefined;
});

const GATE = "all were answered";

/** At every hold, what is spent and held of each budget is within the limit that is in force at that moment. */
function guarded(broken: string[]): (ports: Ports) => Ports {
  return (ports) => ({
    ...ports,
    holds: {
      openCount: () => ports.holds.openCount(),
      async open(attempt) {
        const before = ports.counters.read("organization:default", "live").reserved;
        const opening = ports.holds.open(attempt);
        const granted = ports.counters.read("organization:default", "live").reserved > before;
        for (const { budget, spent, reserved } of ports.budgets.states(attempt, attempt.mode)) {
          if (granted && spent + reserved > budget.limit) broken.push(`${budget.scope.kind}: ${spent + reserved} of ${budget.limit}`);
        }
        await opening;
      },
    },
  });
}

/** Calls of $0.10, all at once. Those that are let through end when the gate opens. */
class Crowd {
  readonly answered: Promise<string>[] = [];
  readonly #port: number;
  readonly #plain: string;
  #refused = 0;
  #hear: (() => void) | undefined;

  constructor(url: string, plain: string) {
    this.#port = Number(new URL(url).port);
    this.#plain = plain;
  }

  /** Resolves when so many more were refused. */
  async call(calls: number, refused: number): Promise<void> {
    const enough = this.#refused + refused;
    const told = new Promise<void>((resolve) => {
      this.#hear = () => this.#refused >= enough && resolve();
    });
    for (let n = 0; n < calls; n++) this.answered.push(this.#one(n % 2 === 0));
    await told;
  }

  async #one(stream: boolean): Promise<string> {
    const caller = await rawConnect(this.#port);
    caller.send(rawPost("/v1/chat/completions", { ...DIME, stream }, { host: "gateway", authorization: `Bearer ${this.#plain}` }));
    const head = await caller.until(/\r\n\r\n/);
    const status = head.slice("HTTP/1.1 ".length, "HTTP/1.1 200".length);
    if (status === "402") {
      expect(head).toContain("x-should-retry: false");
      this.#refused++;
      this.#hear?.();
    } else await caller.until(stream ? /\[DONE\]/ : /"cost"/);
    caller.close();
    return status;
  }
}

async function started(store: "memory" | "file", broken: string[]) {
  const pauses = [{ afterBytes: 0, until: { gate: GATE } }];
  running = await startGoverned({ store: { kind: store }, adapt: guarded(broken), script: (_, usual) => ({ ...usual, pauses }) });
  const { house } = running;
  await house.ports.directory.put("team", { id: "team_1", organizationId: "default", createdAt: 0, name: "t" });
  await house.ports.directory.put("project", { id: "proj_1", organizationId: "default", createdAt: 0, name: "p", teamId: "team_1" });
  const { key, plain } = await running.key({ projectId: "proj_1" });
  const budgets = [
    await running.budget({ kind: "key", id: key.id }, "5"),
    await running.budget({ kind: "project", id: "proj_1" }, "5", { window: { unit: "day", rolling: false, zone: "Asia/Kathmandu" } }),
    await running.budget({ kind: "team", id: "team_1" }, "5", { window: { unit: "hour", rolling: true, zone: "UTC" } }),
    await running.budget({ kind: "organization", id: "default" }, "5", { window: { unit: "month", rolling: false, zone: "UTC" } }),
  ];
  return { governed: running, crowd: new Crowd(house.url, plain), budgets };
}

async function limited({ house }: Governed, budgets: readonly string[], limit: string): Promise<void> {
  for (const id of budgets) {
    const budget = house.ports.directory.get("budget", id) as Budget;
    await house.ports.budgets.put({ ...budget, limit: usd(limit) });
  }
}

describe("1,000 calls of $0.10 at once, whole and streamed,", () => {
  test("on a file: 50 are let through against $5 on key, project, team and organization", async () => {
    const broken: string[] = [];
    const { governed, crowd, budgets } = await started("file", broken);
    const { house, upstream } = governed;
    await crowd.call(1_000, 950);
    expect(house.ports.counters.read("organization:default", "live")).toEqual({ spent: usd("0"), reserved: usd("5") });
    upstream.openGate(GATE);
    const statuses = await Promise.all(crowd.answered);
    await house.settled();
    expect([statuses.filter((status) => status === "200").length, upstream.requests.length]).toEqual([50, 50]);
    for (const id of budgets) expect(house.ports.budgets.state(id, "live")).toMatchObject({ spent: usd("5"), reserved: usd("0") });
    const rows = (await house.ports.records.audit({ organizationId: "default", limit: 1_000 })).data.flatMap(({ attempts }) => attempts);
    expect(rows.reduce((sum, { cost }) => sum + (cost ?? 0n), 0n)).toBe(usd("5"));
    expect(broken).toEqual([]);
  });

  test.each(["memory", "file"] as const)(
    "with limits that are raised to $8 and lowered to $2 meanwhile (%s): never more is held than the limit then in force",
    async (store) => {
      const broken: string[] = [];
      const { governed, crowd, budgets } = await started(store, broken);
      const { house, upstream } = governed;
      await crowd.call(500, 450);
      await limited(governed, budgets, "8");
      await crowd.call(400, 370);
      await limited(governed, budgets, "2");
      await crowd.call(100, 100);
      upstream.openGate(GATE);
      const statuses = await Promise.all(crowd.answered);
      await house.settled();
      expect(statuses.filter((status) => status === "200")).toHaveLength(80);
      for (const id of budgets) expect(house.ports.budgets.state(id, "live")).toMatchObject({ spent: usd("8"), reserved: usd("0") });
      expect(broken).toEqual([]);
    },
  );

  test("while the limit goes up and down at every turn: no hold is granted above it, and nothing is left held", async () => {
    const broken: string[] = [];
    const { governed, crowd, budgets } = await started("memory", broken);
    const { house, upstream } = governed;
    let over = false;
    const changes = (async () => {
      for (let n = 0; !over; n++) await limited(governed, budgets, String(3 + (n % 5)));
    })();
    // At most $7 are ever in force: 70 calls.
    await crowd.call(1_000, 930);
    over = true;
    await changes;
    upstream.openGate(GATE);
    const admitted = (await Promise.all(crowd.answered)).filter((status) => status === "200").length;
    await house.settled();
    expect(admitted).toBeGreaterThanOrEqual(30);
    expect(admitted).toBeLessThanOrEqual(70);
    for (const id of budgets) {
      expect(house.ports.budgets.state(id, "live")).toMatchObject({ spent: usd("0.1") * BigInt(admitted), reserved: usd("0") });
    }
    expect(broken).toEqual([]);
  });
});
