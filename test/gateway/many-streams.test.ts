// More streams at once than the runtime's fetch allows by itself (256): the process starts itself again with the limit raised.
import { afterAll, beforeAll, expect, test } from "bun:test";
import { ADMIN_KEY, connectedTo, emptyFolder, FROM_SOURCE, type GatewayProcess, makeKey, serve } from "../e2e/gateway-process";
import { CHAT_STREAM } from "../e2e/own-answers";
import { rawConnect, rawPost } from "../upstream/raw-client";
import { startUpstream, type Upstream } from "../upstream/upstream";

const STREAMS = 400;
const ASK = { model: "gpt-4o-mini", stream: true, max_tokens: 50, messages: [{ role: "user", content: "Say hello, please" }] };

const folder = emptyFolder();
let upstream: Upstream;
let gateway: GatewayProcess;

beforeAll(async () => {
  upstream = await startUpstream();
  gateway = await serve(FROM_SOURCE, folder.path, { ...connectedTo(upstream.url), TOLLWAY_ADMIN_KEY: ADMIN_KEY, TOLLWAY_LOG: "warn" });
});
afterAll(async () => {
  gateway.signal("SIGTERM");
  await gateway.ended;
  await upstream.close();
  folder.remove();
});

test(`${STREAMS} streams are open at the same moment, all finish, and each has its row`, async () => {
  const { key } = await makeKey(gateway.url);
  upstream.play({ ...CHAT_STREAM, pauses: [{ afterBytes: 900, until: { gate: "all are here" } }] }, { times: "always" });
  const { port } = new URL(gateway.url);
  const finished = Promise.all(
    Array.from({ length: STREAMS }, async () => {
      const caller = await rawConnect(Number(port));
      caller.send(rawPost("/v1/chat/completions", ASK, { host: "gateway", authorization: `Bearer ${key}` }));
      const text = await caller.until(/\[DONE\]/);
      caller.close();
      return text;
    }),
  );
  // If they queued behind one another, the last would never arrive: nobody finishes before it does.
  await upstream.request(STREAMS);
  upstream.openGate("all are here");
  const texts = await finished;
  expect(texts).toHaveLength(STREAMS);
  for (const text of texts) expect(text).toStartWith("HTTP/1.1 200 ");
  expect(upstream.problems).toEqual([]);

  const usage = async (): Promise<{ total: { requests: number }; reserved: number }> => {
    const headers = { authorization: `Bearer ${key}` };
    const { total } = (await (await fetch(`${gateway.url}/v1/account/usage`, { headers })).json()) as { total: { requests: number } };
    const account = (await (await fetch(`${gateway.url}/v1/account`, { headers })).json()) as { key: { reserved_usd: number } };
    return { total, reserved: account.key.reserved_usd };
  };
  let seen = await usage();
  while (seen.total.requests < STREAMS || seen.reserved > 0) seen = await usage();
  expect(seen).toMatchObject({ total: { requests: STREAMS }, reserved: 0 });
}, 20_000);
