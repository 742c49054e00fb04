// govern: what does the caller ask for, and may this key ask for it?
import type { Authenticated, Governed } from "../core/exchange";
import type { Door } from "./door";

/** Throws 400s that name the field. */
export function govern(authenticated: Authenticated, door: Door): Governed {
  const { request, includeUsage } = door.dialect.decodeRequest(authenticated.json);
  return { ...authenticated, request, includeUsage };
}
