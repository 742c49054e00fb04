// What the steps inside one attempt share.
import type { Attempt, Planned } from "../core/exchange";
import type { CutSwitch } from "./cut";
import type { Door } from "./door";
import type { Meter } from "./meter";

export interface Work {
  readonly planned: Planned;
  readonly attempt: Attempt;
  readonly door: Door;
  readonly meter: Meter;
  readonly cut: CutSwitch;
}
