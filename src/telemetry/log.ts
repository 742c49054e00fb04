// JSON lines on stderr, one a call. Lines of one tick leave in one write.
import type { Log } from "../core/ports";

export const LEVELS = ["debug", "info", "warn", "error", "silent"] as const;
export type Level = (typeof LEVELS)[number];

/** `write` takes whole lines. Facts that are `Secret`s print as "[secret]". */
export function openLog(level: Level, now: () => number, write: (lines: string) => void): Log {
  const least = LEVELS.indexOf(level);
  let pending = "";
  const flush = (): void => {
    const lines = pending;
    pending = "";
    write(lines);
  };
  return {
    write(lineLevel, event, facts) {
      if (LEVELS.indexOf(lineLevel) < least) return;
      if (pending === "") queueMicrotask(flush);
      pending += `${JSON.stringify({ time: new Date(now()).toISOString(), level: lineLevel, event, ...facts })}\n`;
    },
  };
}
