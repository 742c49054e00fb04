// Where providers must be public, a call goes to the address that was checked, whatever the name answers a moment later.
import { afterEach, describe, expect, mock, spyOn, test } from "bun:test";
import { DialError, type DialRequest } from "../../src/core/ports";
import { openDial } from "../../src/net/dial";

const realFetch = globalThis.fetch;
afterEach(() => mock.restore());

interface Sent {
  url: string;
  init: RequestInit & { tls?: { serverName?: string } };
}

/** Takes the place of the network; `answer` gets what would have been sent. */
function network(answer: (sent: Sent) => Promise<Response>): Sent[] {
  const sent: Sent[] = [];
  const fake = async (url: unknown, init?: unknown) => {
    const one: Sent = { url: String(url), init: init as Sent["init"] };
    sent.push(one);
    return answer(one);
  };
  spyOn(globalThis, "fetch").mockImplementation(fake as typeof fetch);
  return sent;
}

const requestTo = (url: string): DialRequest => ({ url, method: "POST", headers: {}, credential: undefined, body: "{}" });
const dialOver = (...addresses: string[]) => openDial({ allowPrivate: false, elapsedMs: () => 0, resolve: async () => addresses });
const never = new AbortController().signal;
const broken = (code: string) => Object.assign(new Error(code), { code });
const ok = async () => new Response("ok");

describe("a provider's name", () => {
  test("is resolved once, and the connection goes to the address that was checked, under the name's own certificate", async () => {
    const sent = network(ok);
    await dialOver("8.8.8.8").send(requestTo("https://provider.example:8443/v1/chat?x=1"), never);
    expect(sent[0]?.url).toBe("https://8.8.8.8:8443/v1/chat?x=1");
    expect(sent[0]?.init).toMatchObject({
      headers: { host: "provider.example:8443" },
      tls: { serverName: "provider.example" },
      redirect: "manual",
    });
  });

  test("that is an address of IPv6 is written in brackets", async () => {
    const sent = network(ok);
    await dialOver("2606:4700:4700::1111").send(requestTo("https://provider.example/v1"), never);
    expect(sent[0]?.url).toBe("https://[2606:4700:4700::1111]/v1");
  });

  test("is tried at its next address where the first takes no connection, which the next call then leaves for last", async () => {
    const sent = network(async ({ url }) => {
      if (url.includes("8.8.8.8")) throw broken("ConnectionRefused");
      return new Response("ok");
    });
    const dial = dialOver("8.8.8.8", "1.1.1.1");
    for (let n = 0; n < 2; n++) await dial.send(requestTo("https://provider.example/"), never);
    expect(sent.map(({ url }) => url)).toEqual(["https://8.8.8.8/", "https://1.1.1.1/", "https://1.1.1.1/"]);
  });

  test("is not asked a second time once something may have been sent", async () => {
    const sent = network(async () => {
      throw broken("ECONNRESET");
    });
    const thrown = await dialOver("8.8.8.8", "1.1.1.1")
      .send(requestTo("https://provider.example/"), never)
      .catch((error: unknown) => error);
    expect([thrown instanceof DialError && thrown.kind, sent.length]).toEqual(["reset", 1]);
  });

  test("that answers with an address of this house is refused before anything is sent", async () => {
    const sent = network(ok);
    const thrown = await dialOver("8.8.8.8", "127.0.0.1")
      .send(requestTo("https://provider.example/"), never)
      .catch((error: unknown) => error);
    expect([thrown instanceof DialError && thrown.kind, sent.length]).toEqual(["refused", 0]);
  });

  test("stays in the Host header, and calls share a connection", async () => {
    const seen: (string | number | null | undefined)[][] = [];
    const server = Bun.serve({
      port: 0,
      hostname: "127.0.0.1",
      fetch(request, own) {
        seen.push([request.headers.get("host"), own.requestIP(request)?.port]);
        return new Response("ok");
      },
    });
    // What stands at the public address is a server of this test.
    network(({ url, init }) => realFetch(url.replace("8.8.8.8", "127.0.0.1"), init));
    const dial = dialOver("8.8.8.8");
    const host = `provider.example:${server.port}`;
    for (let n = 0; n < 3; n++) await (await dial.send(requestTo(`http://${host}/`), never)).bytes(100);
    await server.stop(true);
    expect(seen.map(([told]) => told)).toEqual([host, host, host]);
    expect(new Set(seen.map(([, port]) => port)).size).toBe(1);
  });
});
