// A value that cannot be printed by accident: logs, errors and JSON show "[secret]".

const REVEAL = Symbol("reveal");

export class Secret {
  readonly #value: string;
  constructor(value: string) {
    this.#value = value;
  }
  /** The only way to the value. Grep for its callers. */
  reveal(): string {
    return this.#value;
  }
  toString(): string {
    return "[secret]";
  }
  toJSON(): string {
    return "[secret]";
  }
  get [Symbol.toStringTag](): string {
    return "Secret";
  }
  [Symbol.for("nodejs.util.inspect.custom")](): string {
    return "[secret]";
  }
  /** Marks the class, so that a plain object never passes for a secret. */
  readonly [REVEAL] = true;
}
