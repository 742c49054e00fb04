// What every budget has spent and holds, in memory, ahead of the database. Every change is synchronous: looking at all budgets of a
// call and adding to them happens with no await between, so that no two calls can hold the same money.
import type { AttemptRecord, Counted } from "../core/attempt";
import type { Budget, BudgetState, Crossing, Scope, ScopeKind } from "../core/budget";
import type { KeyMode } from "../core/ids";
import { addUsd, minUsd, type NanoUsd, subUsd, ZERO_USD } from "../core/money";
import type { Reservations, Room, SpentSpan } from "../core/reservations";
import { crossed, leftOf, refuses } from "./budget";
import { Periods } from "./budget-periods";
import { affordable, chargeOf } from "./credit";
import { bucketMs, periodAt, rollingStart } from "./window";

/** Names that callers give are theirs alone inside their organization; ids are unique everywhere. */
export const scopeName = (kind: ScopeKind, id: string, organizationId: string): string =>
  kind === "user" || kind === "agent" || kind === "run" ? `${kind}:${organizationId}/${id}` : `${kind}:${id}`;

/** Every scope of a call, widest first. */
export function namedScopes(call: Counted): Scope[] {
  const { organizationId, teamId, projectId, keyId, user, agent, run } = call;
  const named: readonly (readonly [ScopeKind, string | undefined])[] = [
    ["organization", organizationId],
    ["team", teamId],
    ["project", projectId],
    ["key", keyId],
    ["user", user],
    ["agent", agent],
    ["run", run],
  ];
  return named.flatMap(([kind, id]) => (id === undefined ? [] : [{ kind, id }]));
}

export const scopesOf = (call: Counted): string[] => namedScopes(call).map(({ kind, id }) => scopeName(kind, id, call.organizationId));

interface Live {
  budget: Budget;
  periods: Readonly<Record<KeyMode, Periods>>;
  /** Calls that count already while what was spent before is still being read: until then nothing is refused here. */
  filling: Set<string> | undefined;
}

interface Place {
  live: Live;
  periods: Periods;
  start: number;
}

interface Held {
  bound: NanoUsd;
  places: readonly Place[];
}

const SPARE_BUCKETS = 10;

const nameOf = ({ scope, organizationId }: Budget): string => scopeName(scope.kind, scope.id, organizationId);

export class BudgetBook implements Reservations {
  readonly #byScope = new Map<string, Live[]>();
  readonly #byId = new Map<string, Live>();
  /** Begun, and not filled yet: the one of that id in `#byId` is enforced until then, so that a budget is never without force. */
  readonly #coming = new Map<string, Live>();
  readonly #held = new Map<string, Held>();

  /** From here on calls count against the budget, those that are open too. It refuses nothing until `fill`: the one before it does. */
  begin(budget: Budget, open: Iterable<AttemptRecord>): void {
    this.abandon(budget.id);
    const live: Live = { budget, periods: { live: new Periods(), test: new Periods() }, filling: new Set() };
    const name = nameOf(budget);
    this.#byScope.set(name, [...(this.#byScope.get(name) ?? []), live]);
    this.#coming.set(budget.id, live);
    for (const call of open)
      if (countsFor(live, call.mode) && call.heldAt >= firstCounted(budget) && scopesOf(call).includes(name)) this.#adopt(live, call);
  }

  /** Calls that count since `begin`: what is read of the ledger must leave them out. */
  counted(budgetId: string): readonly string[] {
    return [...(this.#coming.get(budgetId)?.filling ?? [])];
  }

  /** What to read of the ledger for a budget at `now`. */
  span(budget: Budget, now: number): SpentSpan {
    const { window } = budget;
    if (budget.standsFor) return { from: firstCounted(budget), bucketMs: undefined };
    if (!window.rolling || window.unit === "lifetime") return { from: periodAt(window, now).start, bucketMs: undefined };
    return { from: rollingStart(window.unit, now), bucketMs: bucketMs(window.unit) };
  }

  /** Adds what was spent before `begin`, and the budget is in force, in the place of the one before it. */
  fill(budgetId: string, spent: readonly { mode: KeyMode; start: number; spent: NanoUsd }[]): void {
    const live = this.#coming.get(budgetId);
    if (!live) return;
    this.#coming.delete(budgetId);
    const before = this.#byId.get(budgetId);
    if (before) this.#drop(before);
    live.filling = undefined;
    this.#byId.set(budgetId, live);
    for (const row of spent) {
      const start = live.budget.window.unit === "lifetime" ? 0 : row.start;
      live.periods[row.mode].add(start, row.spent, ZERO_USD);
    }
  }

  /** The limit, thresholds or kind of a budget change, at once; its scope and window stay (else it begins anew). */
  change(budget: Budget): void {
    for (const live of [this.#byId.get(budget.id), this.#coming.get(budget.id)]) if (live) live.budget = budget;
  }

  /** What was begun does not come: the one before it stays. */
  abandon(budgetId: string): void {
    const live = this.#coming.get(budgetId);
    if (!live) return;
    this.#coming.delete(budgetId);
    this.#drop(live);
  }

  /** Counts an open hold, made before the budget was, in the period of its admission. */
  #adopt(live: Live, call: AttemptRecord): void {
    const held = this.#held.get(call.attemptId) ?? { bound: call.bound ?? ZERO_USD, places: [] };
    const place = placeOf(live, call.mode, call.heldAt);
    place.periods.add(place.start, ZERO_USD, chargeOf(live.budget, held.bound));
    live.filling?.add(call.attemptId);
    this.#held.set(call.attemptId, { ...held, places: [...held.places, place] });
  }

  remove(budgetId: string): void {
    this.abandon(budgetId);
    const live = this.#byId.get(budgetId);
    if (!live) return;
    this.#byId.delete(budgetId);
    this.#drop(live);
  }

  #drop(live: Live): void {
    const name = nameOf(live.budget);
    const left = (this.#byScope.get(name) ?? []).filter((one) => one !== live);
    if (left.length > 0) this.#byScope.set(name, left);
    else this.#byScope.delete(name);
  }

  states(call: Counted, mode: KeyMode, now: number): BudgetState[] {
    return this.#of(call, mode).flatMap((live) => (live.budget.standsFor || live.filling ? [] : [stateOf(live, mode, now)]));
  }

  room(call: Counted, mode: KeyMode, now: number): Room | undefined {
    let room: Room | undefined;
    for (const live of this.#of(call, mode)) {
      if (live.filling) continue;
      const state = stateOf(live, mode, now);
      const held = leftOf(state);
      if (held === undefined) continue;
      const left = affordable(live.budget, held);
      const unheld = affordable(live.budget, leftOf({ ...state, reserved: ZERO_USD }) ?? ZERO_USD);
      const tightest = room === undefined || left < room.left ? live.budget.id : room.tightest;
      room = { left: minUsd(room?.left ?? left, left), unheld: minUsd(room?.unheld ?? unheld, unheld), tightest };
    }
    return room;
  }

  state(budgetId: string, mode: KeyMode, now: number): BudgetState | undefined {
    const live = this.#byId.get(budgetId);
    return live && stateOf(live, mode, now);
  }

  /** Holds the bound on every budget, or on none: the result is the one that refuses. */
  reserve(call: AttemptRecord): BudgetState | undefined {
    const lives = this.#of(call, call.mode);
    if (lives.length === 0) return undefined;
    const bound = call.bound ?? ZERO_USD;
    for (const live of lives) {
      if (live.filling) continue;
      const state = stateOf(live, call.mode, call.heldAt);
      if (refuses(state, chargeOf(live.budget, bound))) return state;
    }
    for (const live of lives) live.filling?.add(call.attemptId);
    const places = lives.map((live) => placeOf(live, call.mode, call.heldAt));
    for (const { live, periods, start } of places) periods.add(start, ZERO_USD, chargeOf(live.budget, bound));
    this.#held.set(call.attemptId, { bound, places });
    return undefined;
  }

  /** The cost takes the hold's place, in the periods of the admission. The result are the thresholds that it reached. */
  settle(attemptId: string, cost: NanoUsd): Crossing[] {
    const held = this.#held.get(attemptId);
    if (!held) return [];
    this.#held.delete(attemptId);
    const crossings: Crossing[] = [];
    for (const { live, periods, start } of held.places) {
      const before = spentIn(live.budget.window, periods, start);
      const charge = chargeOf(live.budget, cost);
      periods.add(start, charge, subUsd(ZERO_USD, chargeOf(live.budget, held.bound)));
      const spent = addUsd(before, charge);
      // The one before it tells of these.
      if (live.filling) continue;
      for (const { percent, action } of crossed(live.budget, before, spent)) {
        crossings.push({ budget: live.budget, percent, action, spent, periodStart: start });
      }
    }
    return crossings;
  }

  #of(call: Counted, mode: KeyMode): Live[] {
    if (this.#byScope.size === 0) return [];
    return scopesOf(call).flatMap((name) => (this.#byScope.get(name) ?? []).filter((live) => countsFor(live, mode)));
  }
}

const countsFor = ({ budget }: Live, mode: KeyMode): boolean => budget.standsFor === undefined || budget.standsFor.mode === mode;

/** A balance is charged for what came after its making; what a run spends is its own from its first call. */
const firstCounted = (budget: Budget): number => (budget.standsFor ? budget.createdAt : Number.NEGATIVE_INFINITY);

function stateOf({ budget, periods }: Live, mode: KeyMode, now: number): BudgetState {
  const { window } = budget;
  const sums = periods[mode];
  if (!window.rolling || window.unit === "lifetime") {
    const { spent, reserved } = sums.at(periodAt(window, now).start);
    return { budget, spent, reserved };
  }
  // What is held counts until it is settled, however old its bucket is.
  return { budget, spent: sums.spentSince(rollingStart(window.unit, now)), reserved: sums.reserved };
}

/** What counts in the period that begins at `start`: of a rolling window, its buckets up to then. */
function spentIn({ unit, rolling }: Budget["window"], periods: Periods, start: number): NanoUsd {
  return !rolling || unit === "lifetime" ? periods.at(start).spent : periods.spentSince(rollingStart(unit, start));
}

function placeOf(live: Live, mode: KeyMode, now: number): Place {
  const { start } = periodAt(live.budget.window, now);
  const periods = live.periods[mode];
  if (!periods.has(start)) forgetOld(live, periods, now);
  return { live, periods, start };
}

/**
 * Periods that count no more and hold nothing. Looked at once a period. The one before stays, and some buckets more than count: a wall
 * clock that is set back must not give a period twice.
 */
function forgetOld({ budget: { window } }: Live, periods: Periods, now: number): void {
  const { unit } = window;
  if (unit === "lifetime") return;
  const oldest = window.rolling
    ? rollingStart(unit, now) - SPARE_BUCKETS * bucketMs(unit)
    : periodAt(window, periodAt(window, now).start - 1).start;
  periods.forget(oldest);
}
