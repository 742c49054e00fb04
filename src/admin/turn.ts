// Administrators' changes happen one after the other: what a change has checked (a name is free, nothing refers to a team) must still
// be so when it is written. Calls never wait here.
import type { Directory, Ports } from "../core/ports";

/** The last change of each gateway in this process. */
const LAST = new WeakMap<Directory, Promise<unknown>>();

/** Runs `change` when every change before it is over. Rejects as it does. */
export function inTurn<T>(ports: Pick<Ports, "directory">, change: () => Promise<T>): Promise<T> {
  const before = LAST.get(ports.directory) ?? Promise.resolve();
  const mine = before.then(change, change);
  LAST.set(ports.directory, mine);
  return mine;
}
