// A growing run of bytes. Doubling keeps byte-by-byte feeding linear: every byte is copied a bounded number of times.

/** A buffer that grew beyond this is given away instead of kept: one large frame must not cost memory for the rest of a stream. */
const KEPT_BYTES = 64 * 1024;

export class HeldBytes {
  #bytes = new Uint8Array(0);
  length = 0;

  append(bytes: Uint8Array): void {
    const needed = this.length + bytes.length;
    if (needed > this.#bytes.length) {
      const grown = new Uint8Array(Math.max(needed, this.#bytes.length * 2, 1024));
      grown.set(this.#bytes.subarray(0, this.length));
      this.#bytes = grown;
    }
    this.#bytes.set(bytes, this.length);
    this.length = needed;
  }

  /** The bytes held, which are the caller's now; nothing is held afterwards. */
  take(): Uint8Array {
    const gives = this.#bytes.length > KEPT_BYTES;
    const taken = gives ? this.#bytes.subarray(0, this.length) : this.#bytes.slice(0, this.length);
    if (gives) this.#bytes = new Uint8Array(0);
    this.length = 0;
    return taken;
  }
}
