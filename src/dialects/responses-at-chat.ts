// A Responses request at the Chat Completions door, as Cursor sends it: read as what it is, answered as Chat Completions. No provider
// speaks it, so nothing is ever forwarded.
import type { DoorDialect } from "./dialect";
import { openaiChat } from "./openai-chat";
import { openaiResponses } from "./openai-responses";
import { objectOf } from "./provider-json";

export const responsesAtChat: DoorDialect = {
  ...openaiChat,
  name: "responses-at-chat",
  fields: openaiResponses.fields,
  decodeRequest(json, headers) {
    // Options of the chunks that it reads, not of the request that it writes.
    const { stream_options: options, ...body } = objectOf(json) ?? {};
    return { ...openaiResponses.decodeRequest(body, headers), includeUsage: objectOf(options)?.["include_usage"] === true };
  },
};
