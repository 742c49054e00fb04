// The network towards operators' own endpoints: webhooks now, whatever else an operator names later.
import type { Secret } from "./secret";

/** A message to an endpoint that an operator named. */
export interface Notice {
  /** http or https. */
  url: string;
  /** JSON text. */
  body: string;
  /** Signed as Standard Webhooks has it, once with each secret ("whsec_" and base64). `at`: Unix milliseconds. */
  sign: { id: string; at: number; secrets: readonly Secret[] };
}

export interface NoticeAnswer {
  status: number;
  /** What a `retry-after` header says. */
  retryAfterMs: number | undefined;
}

/** The network towards operators' own endpoints. Providers are reached by `Dial` alone. */
export interface Notify {
  /** Throws `NotifyError` for an address that `post` would refuse, or a name without one. */
  check(url: string): Promise<void>;
  /** POSTs it to the address that was checked. Follows no redirect, reads no answer's body. Throws `NotifyError`. */
  post(notice: Notice): Promise<NoticeAnswer>;
}

/** No answer came. Its message may be shown to operators. */
export class NotifyError extends Error {
  constructor(
    /** `address`: not one that may be asked. */
    readonly kind: "address" | "unreachable" | "timeout" | "broken",
    message: string,
    cause?: unknown,
  ) {
    super(message, { cause });
    this.name = "NotifyError";
  }
}
