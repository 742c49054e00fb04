// Which addresses a provider may have. Operators name hosts, and even then a name that resolves into the house is refused,
// unless they said that providers live there.
import { lookup } from "node:dns/promises";
import { BlockList, isIP } from "node:net";

// Two lists, because one would compare IPv4 addresses with its v4-mapped IPv6 rows too: every public one would be inside.
const INSIDE_4 = new BlockList();
for (const [net, prefix] of [
  ["0.0.0.0", 8],
  ["10.0.0.0", 8],
  ["100.64.0.0", 10],
  ["127.0.0.0", 8],
  ["169.254.0.0", 16],
  ["172.16.0.0", 12],
  ["192.0.0.0", 24],
  ["192.0.2.0", 24],
  ["192.88.99.0", 24],
  ["192.168.0.0", 16],
  ["198.18.0.0", 15],
  ["198.51.100.0", 24],
  ["203.0.113.0", 24],
  ["224.0.0.0", 4],
  ["240.0.0.0", 4],
] as const) {
  INSIDE_4.addSubnet(net, prefix, "ipv4");
}
/** Global unicast: everything that IANA has given to the internet. v4-mapped, NAT64, local and multicast addresses lie outside. */
const GLOBAL_6 = new BlockList();
GLOBAL_6.addSubnet("2000::", 3, "ipv6");
/** Special ranges inside it (RFC 6890 and its registry): protocol assignments, documentation, 6to4. */
const INSIDE_6 = new BlockList();
for (const [net, prefix] of [
  ["2001::", 23],
  ["2001:db8::", 32],
  ["2002::", 16],
  ["3fff::", 20],
] as const) {
  INSIDE_6.addSubnet(net, prefix, "ipv6");
}

/** True for an address of the public internet. v4-mapped, NAT64 and 6to4 forms are never public: nobody needs them here. */
export function isPublicAddress(address: string): boolean {
  switch (isIP(address)) {
    case 4:
      return !INSIDE_4.check(address, "ipv4");
    case 6:
      return GLOBAL_6.check(address, "ipv6") && !INSIDE_6.check(address, "ipv6");
    default:
      return false;
  }
}

export class AddressRefused extends Error {}

/** How long a name's good answer is believed. */
const BELIEF_MS = 30_000;
const MAX_NAMES = 1024;

export type Resolve = (name: string) => Promise<readonly string[]>;

export const systemResolve: Resolve = async (name) => (await lookup(name, { all: true })).map(({ address }) => address);

/** Checked addresses of a host, the best to try first. Each is shared by all calls while the answer is believed. */
export type Addresses = string[];

/**
 * undefined: any address will do. Throws `AddressRefused` for a host with any address inside; a name that does not resolve throws the
 * resolver's error.
 */
export function openAddressGuard(
  allowPrivate: boolean,
  elapsedMs: () => number,
  resolve: Resolve = systemResolve,
): (url: URL) => Promise<Addresses> | Addresses | undefined {
  const believed = new Map<string, { addresses: Addresses; until: number }>();
  return (url) => {
    if (url.protocol !== "https:" && url.protocol !== "http:") throw new AddressRefused(`${url.protocol} is not http or https`);
    if (allowPrivate) return undefined;
    const host = bareHost(url);
    const known = believed.get(host);
    if (known !== undefined && known.until > elapsedMs()) return known.addresses;
    return check(host, resolve).then((found) => {
      const before = known?.addresses ?? [];
      // Addresses that were good before come first, however the resolver turns its answers: connections to them are still open.
      const addresses = [...before.filter((one) => found.includes(one)), ...found.filter((one) => !before.includes(one))];
      if (believed.size >= MAX_NAMES) believed.clear();
      believed.set(host, { addresses, until: elapsedMs() + BELIEF_MS });
      return addresses;
    });
  };
}

/** The host without the brackets of IPv6. */
export const bareHost = ({ hostname }: URL): string => hostname.replace(/^\[|\]$/g, "");

/** The next call begins with another address. */
export function setBack(addresses: Addresses, address: string): void {
  const at = addresses.indexOf(address);
  if (at !== -1) addresses.push(...addresses.splice(at, 1));
}

/** IPv4 first: where IPv6 leads nowhere, it may do so in silence. */
async function check(host: string, resolve: Resolve): Promise<Addresses> {
  const addresses = isIP(host) ? [host] : [...new Set(await resolve(host))];
  for (const address of addresses) {
    if (!isPublicAddress(address)) {
      throw new AddressRefused(`${host} has the address ${address}, which is not public (TOLLWAY_ALLOW_PRIVATE_UPSTREAMS=1 allows it)`);
    }
  }
  return addresses.sort((a, b) => isIP(a) - isIP(b));
}
