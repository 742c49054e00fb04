// Messages to operators' endpoints, over real sockets: how they are signed, where they may go, and what each fault is called.
import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { type AddressInfo, createServer } from "node:net";
import { Webhook } from "standardwebhooks";
import { type Notice, type NoticeAnswer, NotifyError } from "../../src/core/notify";
import { Secret } from "../../src/core/secret";
import { type NotifyOptions, openNotify } from "../../src/net/notify";
import { systemClock } from "../../src/net/system";
import { ManualClock } from "../contract/manual-clock";
import type { Answer } from "../upstream/script";
import { startUpstream, type Upstream } from "../upstream/upstream";

const SECRET = `whsec_${btoa("0123456789abcdef0123456789abcdef")}`;
const OTHER = `whsec_${btoa("another secret, of 32 characters")}`;
const BODY = '{"type":"webhook.test","data":{"n":1}}';

let upstream: Upstream;
beforeEach(async () => {
  upstream = await startUpstream();
});
afterEach(() => upstream.close());

const notice = (url: string, changes: Partial<Notice> = {}): Notice => ({
  url,
  body: BODY,
  sign: { id: "msg_1", at: systemClock.now(), secrets: [new Secret(SECRET)] },
  ...changes,
});

const open = (options: Partial<NotifyOptions> = {}) => openNotify({ allowPrivate: true, clock: systemClock, ...options });

function post(answer: Answer, changes: Partial<Notice> = {}, options: Partial<NotifyOptions> = {}): Promise<NoticeAnswer> {
  upstream.play(answer);
  return open(options).post(notice(`${upstream.url}/hooks?a=b`, changes));
}

async function faultOf(run: () => Promise<unknown>): Promise<NotifyError> {
  try {
    await run();
  } catch (thrown) {
    if (thrown instanceof NotifyError) return thrown;
    throw thrown;
  }
  throw new Error("Nothing was thrown");
}

const kindOf = async (run: () => Promise<unknown>): Promise<string> => (await faultOf(run)).kind;

describe("a message", () => {
  test("is POSTed as JSON, signed so that the stock library verifies it", async () => {
    expect(await post({ status: 204 })).toEqual({ status: 204, retryAfterMs: undefined });
    const [request] = upstream.requests;
    expect(request).toMatchObject({ method: "POST", path: "/hooks?a=b" });
    expect(request?.headers).toMatchObject({
      "content-type": "application/json",
      "webhook-id": "msg_1",
      host: `127.0.0.1:${upstream.port}`,
    });
    expect(new Webhook(SECRET).verify(request?.text() ?? "", request?.headers ?? {})).toEqual(JSON.parse(BODY));
    expect(() => new Webhook(OTHER).verify(request?.text() ?? "", request?.headers ?? {})).toThrow();
  });

  test("is signed with each secret, so that a rotation loses nothing", async () => {
    await post({ status: 200 }, { sign: { id: "msg_2", at: systemClock.now(), secrets: [new Secret(SECRET), new Secret(OTHER)] } });
    const [request] = upstream.requests;
    for (const secret of [SECRET, OTHER]) new Webhook(secret).verify(request?.text() ?? "", request?.headers ?? {});
    expect(request?.headers["webhook-signature"]?.split(" ")).toHaveLength(2);
  });

  test("carries no secret, and no cookie or credential of anybody", async () => {
    await post({ status: 200 });
    const [request] = upstream.requests;
    expect(JSON.stringify(request?.headers) + request?.text()).not.toContain(SECRET.slice(6));
    for (const name of ["authorization", "cookie", "x-api-key"]) expect(request?.headers[name]).toBeUndefined();
  });

  test("is refused when it is larger than any of ours", async () => {
    expect(await kindOf(() => post({ status: 200 }, { body: "x".repeat(300_000) }))).toBe("broken");
    expect(upstream.connections()).toBe(0);
  });
});

describe("an answer", () => {
  test.each([200, 202, 204, 400, 404, 410, 429, 500, 503])("of status %d is told", async (status) => {
    expect((await post({ status, body: status === 204 ? "" : "{}" })).status).toBe(status);
  });

  test.each([
    ["120", 120_000],
    ["0", 0],
    ["Wed, 21 Oct 2026 07:28:00 GMT", undefined],
    ["-5", undefined],
    ["1e9", undefined],
  ])("that asks for patience (%s) is heard as %p ms", async (text, expected) => {
    expect((await post({ status: 429, headers: { "retry-after": text }, body: "" })).retryAfterMs).toBe(expected);
  });

  test("that redirects is not followed", async () => {
    const other = await startUpstream();
    const answer = await post({ status: 307, headers: { location: `${other.url}/elsewhere` }, body: "" });
    expect(answer.status).toBe(307);
    expect(other.connections()).toBe(0);
    await other.close();
  });

  test("without an end is not read", async () => {
    const fill = { prefix: "", unit: "x", total: 10 * 1024 * 1024 * 1024, suffix: "" };
    expect((await post({ status: 200, fill, framing: "chunked" })).status).toBe(200);
    await upstream.requests[0]?.gone;
  });
});

describe("a fault is", () => {
  test("timeout, when no answer comes: the connection is closed", async () => {
    const clock = new ManualClock();
    const pending = kindOf(() => post({ beforeHeaders: "never" }, {}, { clock }));
    const request = await upstream.request(1);
    await clock.advance(15_000);
    expect(await pending).toBe("timeout");
    await request.gone;
  });

  test("timeout, when the name's look-up hangs", async () => {
    const clock = new ManualClock();
    const pending = kindOf(() => open({ clock, resolve: () => new Promise(() => undefined) }).post(notice("https://hooks.example/")));
    await clock.advance(15_000);
    expect(await pending).toBe("timeout");
  });

  test("unreachable, where nobody listens", async () => {
    const gone = await startUpstream();
    await gone.close();
    expect(await kindOf(() => open().post(notice(gone.url)))).toBe("unreachable");
  });

  test.each<[string, () => Promise<readonly string[]>]>([
    ["has no address", async () => []],
    ["is not known", () => Promise.reject(new Error("ENOTFOUND"))],
  ])("unreachable, for a name that %s", async (_, resolve) => {
    expect(await kindOf(() => open({ resolve }).post(notice("https://hooks.example/")))).toBe("unreachable");
  });

  test("broken, when the connection breaks after the message was sent: it is not sent to another address", async () => {
    upstream.play({ end: { kind: "reset-before-headers" } }, { times: "always" });
    const notify = open({ resolve: async () => ["127.0.0.1", "127.0.0.1"] });
    expect(await kindOf(() => notify.post(notice(`http://hooks.example:${upstream.port}/`)))).toBe("broken");
    expect(upstream.requests).toHaveLength(1);
  });
});

describe("the connection", () => {
  test("goes to the address that was looked up, under the endpoint's name", async () => {
    upstream.play({ status: 200 });
    const asked: string[] = [];
    const resolve = async (name: string) => {
      asked.push(name);
      return ["127.0.0.1"];
    };
    await open({ resolve }).post(notice(`http://hooks.example:${upstream.port}/x`));
    expect(upstream.requests[0]?.headers["host"]).toBe(`hooks.example:${upstream.port}`);
    expect(asked).toEqual(["hooks.example"]);
  });

  test("goes to the next address when one refuses it", async () => {
    upstream.play({ status: 200 });
    const notify = open({ resolve: async () => ["::1", "127.0.0.1"] });
    expect((await notify.post(notice(`http://hooks.example:${upstream.port}/`))).status).toBe(200);
  });

  test("is encrypted for the endpoint's name, not for the address", async () => {
    const hello = Promise.withResolvers<string>();
    const server = createServer((socket) => {
      socket.on("error", () => undefined);
      // The name stands in the clear in a TLS handshake's first message.
      socket.once("data", (bytes) => {
        hello.resolve(bytes.toString("latin1"));
        socket.destroy();
      });
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const { port } = server.address() as AddressInfo;
    const notify = open({ resolve: async () => ["127.0.0.1"] });
    await faultOf(() => notify.post(notice(`https://hooks.example:${port}/`)));
    expect(await hello.promise).toContain("hooks.example");
    server.close();
  });
});

/** Addresses as an operator's URL could hold them, and what they are. */
const INSIDE: readonly [url: string, what: string][] = [
  ["http://127.0.0.1/", "loopback"],
  ["http://127.1/", "loopback in two parts"],
  ["http://2130706433/", "loopback as one number"],
  ["http://0x7f000001/", "loopback in hexadecimal"],
  ["http://0177.0.0.1/", "loopback with an octal part"],
  ["http://017700000001/", "loopback as one octal number"],
  ["http://127.0.0.1.:80/", "loopback with a trailing dot"],
  ["http://%31%32%37.0.0.1/", "loopback, percent-encoded"],
  ["http://①②⑦.⓪.⓪.①/", "loopback in circled digits"],
  ["http://127。0。0。1/", "loopback with ideographic dots"],
  ["http://0/", "this host"],
  ["http://0.0.0.0:8642/", "this host in four parts"],
  ["http://10.0.0.1/", "private"],
  ["http://172.16.0.1/", "private"],
  ["http://172.31.255.255/", "private, the upper end"],
  ["http://192.168.1.1/", "private"],
  ["http://3232235521/", "private as one number"],
  ["http://169.254.169.254/latest/meta-data/", "the metadata service"],
  ["http://2852039166/", "the metadata service as one number"],
  ["http://0xa9fea9fe/", "the metadata service in hexadecimal"],
  ["http://169.254.170.2/", "the metadata service of containers"],
  ["http://100.64.0.1/", "carrier-grade NAT"],
  ["http://100.100.100.200/", "the metadata service of another cloud"],
  ["http://192.0.0.192/", "protocol assignments"],
  ["http://198.18.0.1/", "benchmarks"],
  ["http://224.0.0.1/", "multicast"],
  ["http://255.255.255.255/", "broadcast"],
  ["http://[::1]/", "loopback"],
  ["http://[::]/", "this host"],
  ["http://[::ffff:127.0.0.1]/", "v4-mapped loopback"],
  ["http://[::ffff:7f00:1]/", "v4-mapped loopback in hexadecimal"],
  ["http://[::ffff:a9fe:a9fe]/", "the v4-mapped metadata service"],
  ["http://[64:ff9b::7f00:1]/", "NAT64 of loopback"],
  ["http://[2002:7f00:1::]/", "6to4 of loopback"],
  ["http://[fd00:ec2::254]/", "the metadata service over IPv6"],
  ["http://[fe80::1]/", "link-local"],
  ["http://[fec0::1]/", "site-local"],
  ["http://localhost/", "a name of loopback"],
  ["http://LOCALHOST/", "the same in capitals"],
  ["http://ｌocalhost/", "the same with a full-width letter"],
];

/** What a name of the public internet may be made to say. */
const LYING: readonly (readonly string[])[] = [
  ["127.0.0.1"],
  ["10.1.2.3"],
  ["169.254.169.254"],
  ["::1"],
  ["::ffff:127.0.0.1"],
  ["fe80::1"],
  ["8.8.8.8", "127.0.0.1"],
  ["2606:4700:4700::1111", "fd00::1"],
  ["fe80::1%eth0"],
  ["not an address"],
];

describe("an address of this house", () => {
  const strict = open({ allowPrivate: false });

  test("has at least thirty spellings here", () => {
    expect(new Set(INSIDE.map(([url]) => url)).size).toBeGreaterThanOrEqual(30);
  });

  test.each(INSIDE)("%s (%s) is refused, when it is named and when it is used", async (url) => {
    expect(await kindOf(() => strict.check(url))).toBe("address");
    expect(await kindOf(() => strict.post(notice(url)))).toBe("address");
  });

  test.each(LYING)("is refused behind a name that resolves to %p", async (...addresses) => {
    const lying = open({ allowPrivate: false, resolve: async () => addresses });
    expect(await kindOf(() => lying.check("https://hooks.example/"))).toBe("address");
    expect(await kindOf(() => lying.post(notice("https://hooks.example/")))).toBe("address");
  });

  test("is refused for a name that was public when it was named: nothing is connected", async () => {
    const answers = [["8.8.8.8"], ["127.0.0.1"]];
    const rebinding = open({ allowPrivate: false, resolve: async () => answers.shift() ?? [] });
    await rebinding.check(`http://hooks.example:${upstream.port}/`);
    expect(await kindOf(() => rebinding.post(notice(`http://hooks.example:${upstream.port}/`)))).toBe("address");
    expect(upstream.connections()).toBe(0);
  });

  test("is told, with how to allow it", async () => {
    const { message } = await faultOf(() => strict.check("http://2130706433/"));
    expect(message).toContain("127.0.0.1");
    expect(message).toContain("TOLLWAY_ALLOW_PRIVATE_UPSTREAMS");
  });

  test.each([
    "file:///etc/passwd",
    "data:text/plain,x",
    "s3://bucket/key",
    "ftp://8.8.8.8/",
    "javascript:1",
    "gopher://8.8.8.8/",
    "",
    "hooks",
  ])("%p is refused for its scheme, wherever endpoints may be", async (url) => {
    expect(await kindOf(() => open().check(url))).toBe("address");
    expect(await kindOf(() => open().post(notice(url)))).toBe("address");
  });
});
