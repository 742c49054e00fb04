// Why a store does not open. The messages are for the operator and say what to do; main.ts prints them and exits with 1.

/** The base of all of them. */
export class StoreRefused extends Error {
  constructor(message: string, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
    this.name = new.target.name;
  }
}

/** Another process owns the data. */
export class DataFolderInUse extends StoreRefused {}

/** The file is not a sound database. Nothing was changed. */
export class DatabaseCorrupt extends StoreRefused {}

/** A newer version of the program has been here. */
export class DatabaseTooNew extends StoreRefused {}

/** The pepper is not the one this database's keys were hashed with: every key would fail. */
export class PepperMismatch extends StoreRefused {}
