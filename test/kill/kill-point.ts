// The states of an attempt at which the process may die (reliability.md, the fault matrix).
export const KILL_POINTS = [
  "before commit 1",
  "after commit 1",
  "after dispatch",
  "mid-stream",
  "before commit 2",
  "after commit 2",
] as const;
export type KillPoint = (typeof KILL_POINTS)[number];
export const isKillPoint = (text: string): text is KillPoint => KILL_POINTS.some((point) => point === text);

/** How often the point is passed before the kill, for kill number `n` of it: late enough that other calls are in other states. */
export function passesBefore(point: KillPoint, n: number): number {
  const spread = (n * 5) % 20;
  switch (point) {
    case "before commit 1":
    case "after commit 1":
    case "after dispatch":
      return 40 + spread;
    case "mid-stream":
      return 40 + spread * 8;
    case "before commit 2":
    case "after commit 2":
      return spread;
  }
}
