// The least a gateway on Bun can be: Bun.serve and fetch, bodies piped through. `bun bench/proxy-bun.ts UPSTREAM_PORT`.

const upstream = `http://127.0.0.1:${process.argv[2]}`;

const server = Bun.serve({
  hostname: "127.0.0.1",
  port: 0,
  idleTimeout: 0,
  async fetch(request) {
    const { pathname } = new URL(request.url);
    const answer = await fetch(upstream + pathname, {
      method: request.method,
      headers: {
        "content-type": request.headers.get("content-type") ?? "application/json",
        authorization: request.headers.get("authorization") ?? "",
      },
      body: request.body,
    });
    return new Response(answer.body, {
      status: answer.status,
      headers: { "content-type": answer.headers.get("content-type") ?? "application/json" },
    });
  },
});
console.log(`ready http://127.0.0.1:${server.port}`);
