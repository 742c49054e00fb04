// Every way to spell an address of this house, as an operator's base URL could hold it.
import { describe, expect, test } from "bun:test";
import { AddressRefused, isPublicAddress, openAddressGuard } from "../../src/net/address-guard";

const guard = openAddressGuard(false, () => 0);
const open = openAddressGuard(true, () => 0);

/** Hosts of a URL, and what they are. */
const INSIDE: readonly [host: string, what: string][] = [
  ["127.0.0.1", "loopback"],
  ["127.255.255.254", "loopback, its far end"],
  ["127.1", "loopback in two parts"],
  ["127.0.1", "loopback in three parts"],
  ["2130706433", "loopback as one decimal number"],
  ["0x7f000001", "loopback as one hexadecimal number"],
  ["0X7F000001", "loopback in upper-case hexadecimal"],
  ["017700000001", "loopback as one octal number"],
  ["0177.0.0.1", "loopback with an octal part"],
  ["0x7f.0x0.0x0.0x1", "loopback in hexadecimal parts"],
  ["0x7f.1", "loopback, mixed"],
  ["127.0.0.1.", "loopback with a trailing dot"],
  ["%31%32%37.0.0.1", "loopback, percent-encoded"],
  ["①②⑦.⓪.⓪.①", "loopback in circled digits"],
  ["127。0。0。1", "loopback with ideographic dots"],
  ["１２７.0.0.1", "loopback in full-width digits"],
  ["0", "this host"],
  ["0.0.0.0", "this host in four parts"],
  ["0x0", "this host in hexadecimal"],
  ["0.1.2.3", "this network"],
  ["10.0.0.1", "private"],
  ["10.1", "private in two parts"],
  ["167772161", "private as one number"],
  ["012.0.0.1", "private with an octal part"],
  ["172.16.0.1", "private, the lower end"],
  ["172.31.255.255", "private, the upper end"],
  ["192.168.0.1", "private"],
  ["192.168.257", "private in three parts"],
  ["3232235521", "private as one number"],
  ["169.254.169.254", "the metadata service"],
  ["2852039166", "the metadata service as one number"],
  ["0xa9fea9fe", "the metadata service in hexadecimal"],
  ["0251.0376.0251.0376", "the metadata service in octal"],
  ["169.254.169.254.", "the metadata service with a trailing dot"],
  ["169.254.170.2", "the metadata service of containers"],
  ["100.64.0.1", "carrier-grade NAT, the lower end"],
  ["100.127.255.254", "carrier-grade NAT, the upper end"],
  ["100.100.100.200", "the metadata service of another cloud"],
  ["192.0.0.192", "protocol assignments, and a metadata service"],
  ["192.0.2.1", "documentation"],
  ["198.51.100.1", "documentation"],
  ["203.0.113.1", "documentation"],
  ["192.88.99.1", "6to4 relays"],
  ["198.18.0.1", "benchmarks, the lower end"],
  ["198.19.255.255", "benchmarks, the upper end"],
  ["224.0.0.1", "multicast"],
  ["239.255.255.255", "multicast, the upper end"],
  ["240.0.0.1", "reserved"],
  ["255.255.255.255", "broadcast"],
  ["4294967295", "broadcast as one number"],
  ["[::1]", "loopback"],
  ["[0:0:0:0:0:0:0:1]", "loopback written out"],
  ["[::]", "this host"],
  ["[::127.0.0.1]", "a v4-compatible address"],
  ["[::ffff:127.0.0.1]", "v4-mapped loopback"],
  ["[::ffff:7f00:1]", "v4-mapped loopback in hexadecimal"],
  ["[0:0:0:0:0:ffff:7f00:1]", "v4-mapped loopback written out"],
  ["[::ffff:169.254.169.254]", "the v4-mapped metadata service"],
  ["[::ffff:10.0.0.1]", "v4-mapped private"],
  ["[::ffff:8.8.8.8]", "v4-mapped public: nobody needs it"],
  ["[::ffff:0:127.0.0.1]", "v4-translated loopback"],
  ["[64:ff9b::127.0.0.1]", "NAT64 of loopback"],
  ["[64:ff9b::a9fe:a9fe]", "NAT64 of the metadata service"],
  ["[64:ff9b::808:808]", "NAT64 of a public address"],
  ["[64:ff9b:1::1]", "local NAT64"],
  ["[2002:7f00:1::]", "6to4 of loopback"],
  ["[2002:a9fe:a9fe::1]", "6to4 of the metadata service"],
  ["[2001::1]", "Teredo"],
  ["[2001:db8::1]", "documentation"],
  ["[3fff::1]", "documentation"],
  ["[100::1]", "discard"],
  ["[fc00::1]", "unique local"],
  ["[fd00:ec2::254]", "the metadata service over IPv6"],
  ["[fdff:ffff::1]", "unique local, the upper end"],
  ["[fe80::1]", "link-local"],
  ["[febf::1]", "link-local, the upper end"],
  ["[fec0::1]", "site-local"],
  ["[ff02::1]", "multicast"],
  ["[5f00::1]", "segment routing"],
  ["localhost", "a name of loopback"],
  ["LOCALHOST", "the same in capitals"],
  ["ｌocalhost", "the same with a full-width letter"],
  ["localhost.", "the same with a trailing dot"],
];

const PUBLIC: readonly string[] = [
  "8.8.8.8",
  "1.1.1.1",
  "134744072",
  "0x08080808",
  "9.255.255.255",
  "11.0.0.0",
  "100.63.255.255",
  "100.128.0.0",
  "126.255.255.255",
  "128.0.0.1",
  "169.253.255.255",
  "169.255.0.0",
  "172.15.255.255",
  "172.32.0.0",
  "192.167.255.255",
  "192.169.0.0",
  "198.17.255.255",
  "198.20.0.0",
  "223.255.255.255",
  "[2001:200::1]",
  "[2001:4860:4860::8888]",
  "[2003::1]",
  "[2606:4700:4700::1111]",
  "[2a00:1450:4001::1]",
  "[3ffe::1]",
];

describe("the address guard", () => {
  test("knows at least sixty spellings", () => {
    expect(new Set(INSIDE.map(([host]) => host)).size).toBe(INSIDE.length);
    expect(INSIDE.length).toBeGreaterThanOrEqual(60);
  });

  test.each(INSIDE)("refuses http://%s/ (%s)", async (host) => {
    const url = new URL(`https://${host}:8443/v1`);
    const checked = (async () => guard(url))();
    // A name that does not resolve is refused by the resolver, before any address is known.
    expect(await checked.catch((error: unknown) => (error instanceof AddressRefused || host.endsWith(".") ? "refused" : error))).toBe(
      "refused",
    );
  });

  test.each(INSIDE)("lets http://%s/ (%s) through where the operator said so", (host) => {
    expect(open(new URL(`http://${host}/v1`))).toBeUndefined();
  });

  test.each(PUBLIC)("lets the public address %s through", async (host) => {
    await guard(new URL(`https://${host}/v1`));
  });

  test.each([
    "http://[fe80::1%25eth0]/",
    "http://[fe80::1%eth0]/",
    "http://127.0.0.1.1/",
    "http://256.0.0.1/",
    "http://0x100000000/",
    "http://[::1/",
  ])("%s is no URL at all", (text) => {
    expect(() => new URL(text)).toThrow(TypeError);
  });

  test.each([
    "file:///etc/passwd",
    "data:text/plain,x",
    "s3://bucket/key",
    "ftp://8.8.8.8/",
    "ws://8.8.8.8/",
    "blob:http://8.8.8.8/x",
    "javascript:1",
  ])("%s is refused for its scheme, wherever providers may be", (text) => {
    expect(() => guard(new URL(text))).toThrow(AddressRefused);
    expect(() => open(new URL(text))).toThrow(AddressRefused);
  });

  test("says which address is in the way and how to allow it", async () => {
    const refusal = await Promise.resolve(guard(new URL("http://2130706433/"))).catch((error: unknown) => error);
    expect(String(refusal)).toContain("127.0.0.1");
    expect(String(refusal)).toContain("TOLLWAY_ALLOW_PRIVATE_UPSTREAMS");
  });

  test("believes a good answer for a while, and asks again afterwards", async () => {
    let now = 0;
    const remembering = openAddressGuard(false, () => now);
    const url = new URL("https://8.8.8.8/");
    await remembering(url);
    expect(remembering(url)).toEqual(["8.8.8.8"]);
    now = 60_000;
    expect(remembering(url)).toBeInstanceOf(Promise);
  });

  test("keeps to addresses that were good before, however the resolver turns its answers", async () => {
    let now = 0;
    const answers = [["2606:4700:4700::1111", "1.1.1.1", "1.0.0.1"], ["1.0.0.1", "8.8.8.8", "1.1.1.1"], ["10.0.0.1"]];
    const remembering = openAddressGuard(
      false,
      () => now,
      async () => answers.shift() ?? [],
    );
    const url = new URL("https://provider.example/");
    expect(await remembering(url)).toEqual(["1.1.1.1", "1.0.0.1", "2606:4700:4700::1111"]);
    now = 60_000;
    expect(await remembering(url)).toEqual(["1.1.1.1", "1.0.0.1", "8.8.8.8"]);
    now = 120_000;
    expect(String(await Promise.resolve(remembering(url)).catch((error: unknown) => error))).toContain("10.0.0.1");
  });

  test("never believes a bad one", async () => {
    const remembering = openAddressGuard(false, () => 0);
    for (let n = 0; n < 2; n++)
      expect(await Promise.resolve(remembering(new URL("http://127.0.0.1/"))).catch(() => "refused")).toBe("refused");
  });
});

describe("isPublicAddress()", () => {
  test.each(["", "localhost", "127.1", "0x7f000001", "2130706433", "8.8.8", "8.8.8.8.", "[2606:4700::1111]", "fe80::1%eth0"])(
    "takes %p for no public address",
    (text) => {
      expect(isPublicAddress(text)).toBe(false);
    },
  );
});
