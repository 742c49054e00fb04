// A remote database, through libSQL's web client: the plain entry loads a native addon and crashes the compiled binary.
import { type Client, createClient } from "@libsql/client/web";
import { migrate } from "drizzle-orm/libsql/migrator";
import { drizzle } from "drizzle-orm/libsql/web";
import type { Clock } from "../core/ports";
import type { Secret } from "../core/secret";
import type { Connection, Db, Statement } from "./connection";
import * as schema from "./schema";
import { StoreRefused } from "./store-refused";

export interface LibsqlOptions {
  /** `libsql:`, `http:` or `https:`. */
  url: string;
  authToken?: Secret | undefined;
  migrationsFolder: string;
  clock: Clock;
}

/** One round trip may take so long; after it the writer latches. */
const ROUND_TRIP_MS = 10_000;

/** Does not reach out yet. Throws `StoreRefused` for a URL that the client cannot use. */
export function openLibsql(options: LibsqlOptions): Connection {
  const { clock, migrationsFolder } = options;
  let client: Client;
  try {
    client = createClient({
      url: options.url,
      ...(options.authToken === undefined ? {} : { authToken: options.authToken.reveal() }),
      intMode: "bigint",
      fetch: (request: Request) => fetchWithin(request, clock),
    });
  } catch (error) {
    throw new StoreRefused("TOLLWAY_DATABASE_URL is not a URL that libSQL can use", error);
  }
  const db = drizzle(client, { schema });
  return {
    db: db as unknown as Db,
    batch: async (statements: readonly Statement[]) => {
      await client.batch([...statements], "write");
    },
    migrate: () => migrate(db, { migrationsFolder }),
    close: async () => client.close(),
  };
}

/** The token must not follow a redirect to another host. */
async function fetchWithin(request: Request, clock: Clock): Promise<Response> {
  const deadline = new AbortController();
  const cancel = clock.after(ROUND_TRIP_MS, () => deadline.abort(new Error("The database did not answer in time")));
  try {
    const response = await fetch(request, { redirect: "manual", signal: deadline.signal });
    const body = await response.arrayBuffer();
    return new Response(body, { status: response.status, headers: response.headers });
  } finally {
    cancel();
  }
}
