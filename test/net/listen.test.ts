import { afterEach, describe, expect, test } from "bun:test";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Listening, listen } from "../../src/net/listen";
import { rawConnect } from "../upstream/raw-client";
import { gate } from "../upstream/script";

const HERE = { hostname: "127.0.0.1", port: 0 };
const open: Listening[] = [];

function listening(handle: (request: Request) => Promise<Response>, at: Parameters<typeof listen>[0]["at"] = HERE): Listening {
  const server = listen({ at, handle });
  open.push(server);
  return server;
}
afterEach(async () => {
  await Promise.all(open.splice(0).map((server) => server.close()));
});

const ok = async (): Promise<Response> => new Response("ok");
const GET = "GET / HTTP/1.1\r\nhost: gateway\r\n\r\n";

describe("listen()", () => {
  test("takes any free port, and a given one alone: nobody shares it", async () => {
    const { port = 0 } = listening(ok);
    expect(await (await fetch(`http://127.0.0.1:${port}/`)).text()).toBe("ok");
    // Another process is what would share it; this one is told of the conflict in the same way.
    const other = Bun.spawnSync([
      process.execPath,
      "-e",
      `Bun.serve({ hostname: "127.0.0.1", port: ${port}, reusePort: true, fetch: () => new Response("other") })`,
    ]);
    expect(other.exitCode).not.toBe(0);
    expect(other.stderr.toString()).toContain("EADDRINUSE");
    expect(() => listening(ok, { hostname: "127.0.0.1", port })).toThrow(/in use/);
  });

  test("listens on a local socket, without a port", async () => {
    const folder = mkdtempSync(join(tmpdir(), "tollway-listen-"));
    const unix = join(folder, "x.sock");
    expect(listening(ok, { unix }).port).toBeUndefined();
    expect(await (await fetch("http://gateway/", { unix })).text()).toBe("ok");
    rmSync(folder, { recursive: true, force: true });
  });

  test("counts what is being answered, whole or streamed, and not who has not asked yet", async () => {
    const { promise, open: answer } = gate();
    const bytes = new TextEncoder().encode("x");
    const streamed = new ReadableStream<Uint8Array>({
      async start(controller) {
        controller.enqueue(bytes);
        await promise;
        controller.close();
      },
    });
    const server = listening(async (request) => {
      if (request.url.endsWith("/stream")) return new Response(streamed);
      await promise;
      return new Response("ok");
    });
    const silent = await rawConnect(server.port ?? 0);
    const half = await rawConnect(server.port ?? 0);
    half.send("GET / HTTP/1.1\r\nhost: gate");
    expect(server.pending()).toBe(0);
    const whole = fetch(`http://127.0.0.1:${server.port}/`);
    const stream = await fetch(`http://127.0.0.1:${server.port}/stream`);
    while (server.pending() < 2) await new Promise((resolve) => setImmediate(resolve));
    answer();
    expect(await (await whole).text()).toBe("ok");
    expect(await stream.text()).toBe("x");
    while (server.pending() > 0) await new Promise((resolve) => setImmediate(resolve));
    for (const connection of [silent, half]) connection.reset();
  });

  test("stop() lets an answer finish and takes no new connection; close() ends what is open", async () => {
    const { promise, open: answer } = gate();
    const server = listening(async () => {
      await promise;
      return new Response("ok");
    });
    const first = await rawConnect(server.port ?? 0);
    first.send(GET);
    while (server.pending() === 0) await new Promise((resolve) => setImmediate(resolve));
    let stopped = false;
    const stopping = server.stop().then(() => {
      stopped = true;
    });
    expect(await rawConnect(server.port ?? 0).catch((error: NodeJS.ErrnoException) => error.code)).toBe("ECONNREFUSED");
    expect(stopped).toBe(false);
    answer();
    await first.until(/ok$/);
    await stopping;

    const stuck = listening(() => new Promise<Response>(() => undefined));
    const second = await rawConnect(stuck.port ?? 0);
    second.send(GET);
    while (stuck.pending() === 0) await new Promise((resolve) => setImmediate(resolve));
    await stuck.close();
    await second.ended;
    expect(second.text()).toBe("");
  });
});
