/** Lets calls in flight have their turn between two reads: an embedded database answers at once, and does not give way by itself. */
export const giveWay = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
