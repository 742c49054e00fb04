// Finding a key by its id, or by its name where that is meant.
import type { ApiKey } from "../core/exchange";
import type { Ports } from "../core/ports";
import { nameText } from "./fields";

const PAGE = 1000;

/** Every key of an organization, revoked ones too, newest first. */
export async function keysOf(organizationId: string, ports: Pick<Ports, "keys">): Promise<readonly ApiKey[]> {
  const keys: ApiKey[] = [];
  let cursor: string | undefined;
  do {
    const page = await ports.keys.list(organizationId, { cursor, limit: PAGE });
    keys.push(...page.data);
    cursor = page.nextCursor;
  } while (cursor !== undefined);
  return keys;
}

/** `organizationId` undefined: in any. */
export async function findKey(
  id: string,
  organizationId: string | undefined,
  ports: Pick<Ports, "keys" | "directory">,
): Promise<ApiKey | undefined> {
  if (!id.startsWith("key_")) return undefined;
  const places = organizationId === undefined ? ports.directory.organizations().map((one) => one.id) : [organizationId];
  for (const place of places) {
    const found = (await keysOf(place, ports)).find((key) => key.id === id);
    if (found) return found;
  }
  return undefined;
}

/** Keys of that name which are not revoked. */
export async function keysNamed(name: string, organizationId: string, ports: Pick<Ports, "keys">): Promise<readonly ApiKey[]> {
  const wanted = nameText(name);
  return (await keysOf(organizationId, ports)).filter((key) => key.name === wanted && key.revokedAt === undefined);
}
