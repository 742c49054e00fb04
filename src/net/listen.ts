// The listening socket: Bun's server with its own time-outs off, because it ends long answers cleanly in their middle.
export interface ListenOptions {
  /** A host and a port, or the path of a local socket. */
  at: { hostname: string; port: number } | { unix: string };
  /** `from` asks for the caller's address; undefined: a local socket has none. */
  handle(request: Request, from: () => string | undefined): Promise<Response>;
}

export interface Listening {
  /** The port that was bound; undefined on a local socket. */
  readonly port: number | undefined;
  /** Requests whose answer has not left whole. A connection that has not sent its request's head yet is none. */
  pending(): number;
  /** Takes no new connections. Resolves when every answer has left. */
  stop(): Promise<void>;
  /** Closes what is still open. */
  close(): Promise<void>;
}

/** Seconds that a connection may be silent before its request's head is there. Afterwards the line's own deadlines hold. */
const HEAD_SECONDS = 30;
/** The line counts bodies itself, so that its refusal is one that a client understands. */
const ANY_BODY = Number.MAX_SAFE_INTEGER;

type BunServer = Pick<Bun.Server<undefined>, "timeout" | "requestIP">;

export function listen(options: ListenOptions): Listening {
  const shared = {
    maxRequestBodySize: ANY_BODY,
    development: false,
    fetch(request: Request, server: BunServer): Promise<Response> {
      server.timeout(request, 0);
      return options.handle(request, () => server.requestIP(request)?.address);
    },
  } as const;
  const server =
    "unix" in options.at
      ? Bun.serve({ unix: options.at.unix, ...shared })
      : // Outside development Bun would share the port with whoever else takes it so: callers would meet another gateway at random.
        Bun.serve({ ...options.at, idleTimeout: HEAD_SECONDS, reusePort: false, ...shared });
  return {
    port: server.port,
    pending: () => server.pendingRequests,
    stop: () => server.stop(false),
    close: () => server.stop(true),
  };
}
