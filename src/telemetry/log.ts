// JSON lines on stderr, one a call. Lines of a few milliseconds leave in one write: a write costs more than a line.
import type { Clock, Log } from "../core/ports";

export const LEVELS = ["debug", "info", "warn", "error", "silent"] as const;
export type Level = (typeof LEVELS)[number];

/** How long a line may wait for company. Errors do not wait. */
const GATHER_MS = 20;

export interface LineLog extends Log {
  /** Writes what waits: before the process ends. */
  flush(): void;
}

/** `write` takes whole lines. Facts that are `Secret`s print as "[secret]". */
export function openLog(level: Level, clock: Clock, write: (lines: string) => void): LineLog {
  const least = LEVELS.indexOf(level);
  let pending = "";
  let time = Number.NaN;
  let said = "";
  /** Calls come many in a millisecond. */
  const timeText = (now: number): string => {
    if (now !== time) said = new Date(now).toISOString();
    time = now;
    return said;
  };
  const flush = (): void => {
    const lines = pending;
    pending = "";
    if (lines !== "") write(lines);
  };
  return {
    flush,
    write(lineLevel, event, facts) {
      if (LEVELS.indexOf(lineLevel) < least) return;
      if (pending === "") clock.after(GATHER_MS, flush);
      pending += `${JSON.stringify({ time: timeText(clock.now()), level: lineLevel, event, ...facts })}\n`;
      if (lineLevel === "error") flush();
    },
  };
}
