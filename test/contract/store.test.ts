// One suite against every adapter. A real libSQL server joins when LIBSQL_TEST_URL names one: EVERY TABLE IN IT IS DROPPED.
import { storeContract } from "./store-contract";
import { filePlace, memoryPlace, remotePlace } from "./store-place";

storeContract("memory", memoryPlace, { sql: false, takeOver: true, breakable: true });
storeContract("bun:sqlite", filePlace, { sql: true, takeOver: false, breakable: true });
storeContract("libSQL (our Hrana server)", () => remotePlace(), { sql: true, takeOver: true, breakable: true });

const url = process.env.LIBSQL_TEST_URL;
if (url !== undefined) {
  const real = { url, token: process.env.LIBSQL_TEST_TOKEN };
  storeContract("libSQL (LIBSQL_TEST_URL)", () => remotePlace(real), { sql: true, takeOver: true, breakable: false });
}
