// The upstream of the benchmark: prebuilt bytes over bare TCP, so that it is not what is measured. `bun bench/mock.ts PORT json|sse`.
import { answerBody, streamEvents } from "./payload";

const [port = "0", mode = "json"] = process.argv.slice(2);

const json = answerBody();
const wholeAnswer = Buffer.from(
  `HTTP/1.1 200 OK\r\ncontent-type: application/json\r\nx-request-id: req_bench\r\ncontent-length: ${Buffer.byteLength(json)}\r\n\r\n${json}`,
);
const streamAnswer = Buffer.from(
  `HTTP/1.1 200 OK\r\ncontent-type: text/event-stream; charset=utf-8\r\nx-request-id: req_bench\r\ntransfer-encoding: chunked\r\n\r\n${streamEvents()
    .map((event) => `${Buffer.byteLength(event).toString(16)}\r\n${event}\r\n`)
    .join("")}0\r\n\r\n`,
);
const answer = mode === "sse" ? streamAnswer : wholeAnswer;

/** Length of the first whole request in `text` (latin1); 0 while it is not whole. */
function requestLength(text: string): number {
  const headEnd = text.indexOf("\r\n\r\n");
  if (headEnd < 0) return 0;
  const head = text.slice(0, headEnd);
  if (/transfer-encoding: *chunked/i.test(head)) {
    const end = text.indexOf("\r\n0\r\n\r\n", headEnd);
    return end < 0 ? 0 : end + 7;
  }
  const length = headEnd + 4 + Number(/content-length: *(\d+)/i.exec(head)?.[1] ?? 0);
  return text.length >= length ? length : 0;
}

const server = Bun.listen<{ pending: string; unsent: Buffer[] }>({
  hostname: "127.0.0.1",
  port: Number(port),
  socket: {
    open(socket) {
      socket.data = { pending: "", unsent: [] };
    },
    data(socket, bytes) {
      const state = socket.data;
      state.pending += bytes.toString("latin1");
      for (let length = requestLength(state.pending); length > 0; length = requestLength(state.pending)) {
        state.pending = state.pending.slice(length);
        const written = state.unsent.length > 0 ? 0 : socket.write(answer);
        if (written < answer.length) state.unsent.push(answer.subarray(Math.max(0, written)));
      }
    },
    drain(socket) {
      const { unsent } = socket.data;
      for (let next = unsent[0]; next; next = unsent[0]) {
        const written = socket.write(next);
        if (written < next.length) {
          unsent[0] = next.subarray(Math.max(0, written));
          return;
        }
        unsent.shift();
      }
    },
  },
});
console.log(`ready http://127.0.0.1:${server.port}`);
