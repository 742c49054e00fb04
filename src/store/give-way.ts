/** Lets whoever waits for this thread go first: long work calls it every few milliseconds. */
export const giveWay = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
