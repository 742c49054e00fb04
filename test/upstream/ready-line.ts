// Both the gateway and the replay upstream say `ready http://host:port` on stdout when they accept calls.

/** The URL of the ready line. Throws, with what was printed instead, when the process ends first. The rest of stdout is read and dropped. */
export async function readyLine(stdout: ReadableStream<Uint8Array>): Promise<string> {
  const reader = stdout.getReader();
  const decoder = new TextDecoder();
  let text = "";
  for (;;) {
    const { done, value } = await reader.read();
    if (done) throw new Error(`the process ended without a ready line: ${text}`);
    text += decoder.decode(value, { stream: true });
    const url = /^ready (http:\/\/\S+)\r?\n/m.exec(text)?.[1];
    if (url === undefined) continue;
    void drain(reader);
    return url;
  }
}

async function drain(reader: ReadableStreamDefaultReader<Uint8Array>): Promise<void> {
  while (!(await reader.read()).done);
}
