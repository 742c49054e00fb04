// The gateway's end, as each call hears of it: one listener for all of them. A listener of its own costs each call as much as
// the reading of its headers does.

const HEARERS = new WeakMap<AbortSignal, Set<() => void>>();

/** Calls `hear` when the signal aborts, once; the result undoes it. A signal that has aborted says nothing more. */
export function onStopping(stopping: AbortSignal, hear: () => void): () => void {
  const hearers = HEARERS.get(stopping) ?? listenTo(stopping);
  hearers.add(hear);
  return () => void hearers.delete(hear);
}

function listenTo(stopping: AbortSignal): Set<() => void> {
  const hearers = new Set<() => void>();
  HEARERS.set(stopping, hearers);
  const tell = (): void => {
    for (const hear of hearers) hear();
    hearers.clear();
  };
  stopping.addEventListener("abort", tell, { once: true });
  return hearers;
}
