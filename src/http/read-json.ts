// Bodies of admin routes: small, bounded, JSON. A key that stands twice is refused, and amounts keep their digits.
import { parseExact } from "../core/exact-number";
import { Failure } from "../core/failure";
import type { Ports } from "../core/ports";
import { readBody } from "../wire/body-limit";
import { scanJson } from "../wire/json-scan";

const MAX_ADMIN_BYTES = 1024 * 1024;
const MAX_DEPTH = 64;

export async function readJson(request: Request, ports: Ports): Promise<unknown> {
  const deadline = new AbortController();
  const cancel = ports.clock.after(ports.settings.deadlines.bodyMs, () => deadline.abort());
  try {
    const bytes = await readBody(request.body ?? undefined, MAX_ADMIN_BYTES, deadline.signal);
    scanJson(bytes, { maxDepth: MAX_DEPTH });
    return parseExact(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
  } catch (thrown) {
    if (deadline.signal.aborted) throw new Failure("request_timeout", "The body did not arrive in time.");
    if (thrown instanceof Failure) throw thrown;
    throw new Failure("invalid_json", "The body is not valid JSON.", { cause: thrown });
  } finally {
    cancel();
  }
}
