// Runs in a Worker, on a second connection of the same SQLite build: copying the log into the file there keeps its fsync (about
// 20 ms) off the event loop. PASSIVE never blocks the writer. It acts only when told to, so it needs no clock of its own.
import { Database } from "bun:sqlite";
import { integrityOf } from "./integrity";

export type CheckpointAsk = { type: "open"; path: string } | { type: "checkpoint" } | { type: "check" } | { type: "close" };
export type CheckpointAnswer =
  | { type: "done"; logFrames: number }
  | { type: "checked"; faults: readonly string[] }
  | { type: "failed"; at: CheckpointAsk["type"]; message: string }
  | { type: "closed" };

const answer = (message: CheckpointAnswer): void => postMessage(message);

let database: Database | undefined;

function obey(ask: CheckpointAsk): void {
  switch (ask.type) {
    case "open":
      database = new Database(ask.path, { create: false, readwrite: true });
      database.run("PRAGMA busy_timeout = 0");
      return;
    case "checkpoint": {
      // Columns: busy, frames in the log, frames copied. https://sqlite.org/pragma.html#pragma_wal_checkpoint
      const row = database?.query<{ log: number }, []>("PRAGMA wal_checkpoint(PASSIVE)").get();
      answer({ type: "done", logFrames: row?.log ?? 0 });
      return;
    }
    case "check":
      answer({ type: "checked", faults: database === undefined ? ["The file is not open"] : integrityOf(database) });
      return;
    case "close":
      database?.close();
      database = undefined;
      answer({ type: "closed" });
      return;
  }
}

addEventListener("message", (event: MessageEvent<CheckpointAsk>) => {
  try {
    obey(event.data);
  } catch (error) {
    answer({ type: "failed", at: event.data.type, message: String(error) });
  }
});
