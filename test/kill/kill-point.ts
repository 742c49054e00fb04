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
