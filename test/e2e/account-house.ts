// A house whose ledger is written row by row, so that a test knows every figure that an account route may show.
import type { AttemptRecord } from "../../src/core/attempt";
import type { ApiKey, KeyPolicy } from "../../src/core/exchange";
import type { KeyMode } from "../../src/core/ids";
import type { Outcome } from "../../src/core/ports";
import type { Usage } from "../../src/core/usage";
import { costOf } from "../../src/policy/pricing";
import { ManualClock } from "../contract/manual-clock";
import { outcome, requestId } from "../contract/store-place";
import { ADMIN_KEY, type HouseOptions, type RunningHouse, startHouse } from "./house";

export interface Minted {
  key: ApiKey;
  plain: string;
}

export interface AccountHouse extends RunningHouse {
  clock: ManualClock;
  mint(name: string, policy?: KeyPolicy, organizationId?: string, mode?: KeyMode): Promise<Minted>;
  /** One settled attempt of the key's, priced as gpt-4o-mini is. The result is its request id. */
  row(key: ApiKey, over?: Partial<AttemptRecord>, seen?: Partial<Outcome>): Promise<string>;
  /** A document of the key's; throws what was answered if it is no 200. */
  read<T>(plain: string, path: string): Promise<T>;
  /** As the administrator. */
  admin(path: string, init?: RequestInit): Promise<Response>;
}

/** 600 fresh input at $0.15, 400 cached at $0.075, 300 output at $0.60 a million, 100 of it reasoning. */
export const USAGE: Usage = { inputTokens: 1_000, cacheReadInputTokens: 400, outputTokens: 300, reasoningOutputTokens: 100 };
/** Of `USAGE`: 90,000 + 30,000 + 180,000 nano-USD. */
export const USAGE_COST = 0.0003;

export async function startAccountHouse(options: HouseOptions = {}): Promise<AccountHouse> {
  const clock = new ManualClock(Date.UTC(2026, 10, 23, 12));
  const house = await startHouse({ ...options, clock });
  const { ports } = house;
  const price = ports.prices.price("openai", "gpt-4o-mini", clock.now());
  return {
    ...house,
    clock,
    async mint(name, policy = {}, organizationId = "default", mode = "live") {
      const { key, plain } = await ports.keys.create({ organizationId, name, mode, policy });
      return { key, plain: plain.reveal() };
    },
    async row(key, over = {}, seen = {}) {
      const heldAt = over.heldAt ?? clock.now();
      const id = over.requestId ?? requestId(heldAt);
      const number = over.attemptNumber ?? 1;
      const projectId = key.policy.projectId;
      const record: AttemptRecord = {
        attemptId: `${id}.${number}`,
        requestId: id,
        attemptNumber: number,
        heldAt,
        organizationId: key.organizationId,
        projectId,
        teamId: projectId === undefined ? undefined : ports.directory.get("project", projectId)?.teamId,
        keyId: key.id,
        mode: key.mode,
        door: "chat",
        provider: "openai",
        modelRequested: "gpt-4o-mini",
        modelServed: "gpt-4o-mini",
        stream: false,
        priceVersion: price?.version,
        bound: undefined,
        ...over,
      };
      await ports.holds.open(record);
      await ports.ledger.settle(record, outcome({ usage: USAGE, cost: costOf(USAGE, price)?.total, ...seen }));
      return id;
    },
    async read(plain, path) {
      const response = await house.get(plain, path);
      const text = await response.text();
      if (!response.ok) throw new Error(`${response.status} ${text}`);
      return JSON.parse(text);
    },
    admin: (path, init) =>
      fetch(house.url + path, {
        ...init,
        headers: { authorization: `Bearer ${ADMIN_KEY}`, "content-type": "application/json", ...init?.headers },
      }),
  };
}
