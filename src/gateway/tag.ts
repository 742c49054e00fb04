// What a caller may call a call: the same rule in headers and in the body.
import { Failure } from "../core/failure";

const TAG = /^[A-Za-z0-9_.:-]{1,64}$/;

/** The value, if it is a tag. Throws 400 `invalid_tag` that names `param`. */
export function tagOf(value: unknown, param: string): string {
  if (typeof value === "string" && TAG.test(value)) return value;
  throw new Failure("invalid_tag", `${param} takes 1 to 64 characters of A-Z a-z 0-9 _ . : -`, { param });
}
