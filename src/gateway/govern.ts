// govern: what does the caller ask for, and may this key ask for it?
import type { Governed, Received } from "../core/exchange";
import type { Ports } from "../core/ports";
import type { Door } from "./door";

/** Throws 400s that name the field. */
export function govern(received: Received, door: Door, ports: Ports): Governed {
  const {
    request,
    includeUsage,
    nameOf = itself,
  } = door.dialect.decodeRequest(received.json, received.dialectHeaders, (id) => ports.items.find(received.key.id, id));
  return { ...received, request, includeUsage, nameOf };
}

const itself = (param: string): string => param;
