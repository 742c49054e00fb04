// govern: what does the caller ask for, and may this key ask for it?
import type { Governed, Received } from "../core/exchange";
import type { Door } from "./door";

/** Throws 400s that name the field. */
export function govern(received: Received, door: Door): Governed {
  const { request, includeUsage, nameOf = itself } = door.dialect.decodeRequest(received.json, received.dialectHeaders);
  return { ...received, request, includeUsage, nameOf };
}

const itself = (param: string): string => param;
