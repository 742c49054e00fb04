// The content of messages and tool results in a Responses request.
// https://platform.openai.com/docs/api-reference/responses/create#responses-create-input
import { z } from "zod";
import type { CacheHint, Part } from "../core/chat";
import { Failure } from "../core/failure";
import { mediaOf } from "./openai-chat-messages";
import { check } from "./request-check";

/** A part and where it stands ("input[0].content[1]"). */
export interface ContentPart {
  part: Part;
  at: string;
}

/** OpenAI's mark of a prefix to keep: where other providers have lifetimes, theirs is the shortest. */
const Breakpoint = z.looseObject({}).nullish();

const AnyPart = z.looseObject({ type: z.string() });
const TextOrParts = z.union([z.string(), z.array(AnyPart)]);
const TextPart = z.looseObject({ text: z.string(), prompt_cache_breakpoint: Breakpoint });
const RefusalPart = z.looseObject({ refusal: z.string() });
const ImagePart = z.looseObject({
  image_url: z.string().nullish(),
  file_id: z.string().nullish(),
  detail: z.string().nullish(),
  prompt_cache_breakpoint: Breakpoint,
});
const FilePart = z.looseObject({
  file_data: z.string().nullish(),
  file_url: z.string().nullish(),
  file_id: z.string().nullish(),
  filename: z.string().nullish(),
  prompt_cache_breakpoint: Breakpoint,
});
const AudioPart = z.looseObject({ input_audio: z.looseObject({ data: z.string(), format: z.string() }) });

/** A text, or parts in order. A part that is not known goes to `rest` under its path. Throws `Failure` with the path in `param`. */
export function decodeContent(content: unknown, at: string, rest: Record<string, unknown>): ContentPart[] {
  const list = check(TextOrParts, content, at);
  if (typeof list === "string") return [{ part: { type: "text", text: list }, at }];
  return list.flatMap((raw, index) => {
    const place = `${at}[${index}]`;
    const part = decodePart(raw, place);
    if (part) return [{ part, at: place }];
    rest[place] = raw;
    return [];
  });
}

function decodePart(raw: z.infer<typeof AnyPart>, at: string): Part | undefined {
  switch (raw.type) {
    case "input_text":
    case "output_text":
    case "text": {
      const { text, prompt_cache_breakpoint: mark } = check(TextPart, raw, at);
      return { type: "text", text, cache: cacheOf(mark) };
    }
    case "refusal":
      return { type: "refusal", text: check(RefusalPart, raw, at).refusal };
    case "input_image":
      return decodeImage(raw, at);
    case "input_file":
      return decodeFile(raw, at);
    case "input_audio": {
      const { data, format } = check(AudioPart, raw, at).input_audio;
      return { type: "audio", media: { kind: "base64", mediaType: `audio/${format}`, data }, format };
    }
    default:
      return undefined;
  }
}

function decodeImage(raw: unknown, at: string): Part {
  const { image_url: url, file_id: id, detail, prompt_cache_breakpoint: mark } = check(ImagePart, raw, at);
  const shared = { type: "image", detail: detail ?? undefined, cache: cacheOf(mark) } as const;
  if (url) return { ...shared, media: mediaOf(url, `${at}.image_url`) };
  if (id) return { ...shared, media: { kind: "id", id } };
  throw missing(`${at}.image_url`);
}

function decodeFile(raw: unknown, at: string): Part | undefined {
  const file = check(FilePart, raw, at);
  const shared = { type: "file", name: file.filename ?? undefined, cache: cacheOf(file.prompt_cache_breakpoint) } as const;
  if (file.file_id) return { ...shared, media: { kind: "id", id: file.file_id } };
  if (file.file_url) return { ...shared, media: { kind: "url", url: file.file_url } };
  if (!file.file_data) throw missing(`${at}.file_data`);
  // Bare base64 does not say what it is: only a provider that guesses can take it.
  return /^data:/i.test(file.file_data.slice(0, 5)) ? { ...shared, media: mediaOf(file.file_data, `${at}.file_data`) } : undefined;
}

const cacheOf = (mark: z.infer<typeof Breakpoint>): CacheHint | undefined => (mark ? "5m" : undefined);

const missing = (param: string): Failure => new Failure("missing_required_parameter", `Missing required parameter: '${param}'.`, { param });
