// The ledger as a file, streamed: a reader that is slow is waited for, one that leaves ends the reading.
import { type LedgerExport, openExport } from "../admin/export";
import { brandHeader } from "../core/brand";
import type { Ports } from "../core/ports";
import type { Route } from "./route";

export const EXPORT_ROUTES: readonly Route[] = [
  {
    method: "GET",
    path: "/admin/v1/export",
    access: "admin",
    handle: async (call, { ports }) => answerOf(await openExport(call.url.searchParams, ports), call.requestId, ports),
  },
];

const answerOf = (file: LedgerExport, requestId: string, ports: Ports): Response =>
  new Response(streamOf(file, requestId, ports), {
    headers: {
      "content-type": file.contentType,
      "content-disposition": `attachment; filename="${file.fileName}"`,
      "cache-control": "no-store",
      "x-request-id": requestId,
      // How long it will be, for who shows progress: its size is not known.
      [brandHeader(ports.settings.brand, "rows")]: String(file.rows),
    },
  });

/** An error in the middle breaks the connection, so that a cut file cannot pass for a whole one. */
function streamOf(file: LedgerExport, requestId: string, { log }: Pick<Ports, "log">): ReadableStream<Uint8Array> {
  const pieces = file.pieces();
  const encoder = new TextEncoder();
  let left = false;
  return new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        try {
          const { done, value } = await pieces.next();
          // Who has left meanwhile has closed the stream: nothing can be added, and nothing went wrong.
          if (left) return;
          if (done) controller.close();
          else controller.enqueue(encoder.encode(value));
        } catch (error) {
          if (left) return;
          log.write("error", "export.broken_off", { requestId, cause: String(error) });
          controller.error(error);
        }
      },
      async cancel() {
        left = true;
        await pieces.return(undefined);
      },
    },
    { highWaterMark: 0 },
  );
}
