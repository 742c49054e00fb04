// Where an answer's words come from, as the providers of Chat Completions say it: all of it as OpenAI's url_citation annotations
// where there is an address, else the provider's own object.
import type { ChatEvent, Media } from "../core/chat";
import { itemsOf, type JsonObject, objectOf, textOf } from "./provider-json";

/** Parts of a content list that are read elsewhere: text as text, thinking as thinking, images as images. */
const READ_ELSEWHERE: ReadonlySet<unknown> = new Set(["text", "thinking", "image_url"]);

/** Sources in a message or delta: annotations, the results of searches that the provider ran, parts that name a source. */
export function sourcesOf(message: JsonObject): unknown[] {
  const { annotations, citations, content, executed_tools: executed } = message;
  // Beside the annotations stand sources without an address, as this gateway writes them too.
  const sources = [...itemsOf(annotations), ...itemsOf(citations).filter((each) => objectOf(each) !== undefined)];
  for (const tool of itemsOf(executed)) {
    for (const result of itemsOf(objectOf(objectOf(tool)?.["search_results"])?.["results"]))
      sources.push(citationOf(objectOf(result)) ?? result);
  }
  if (Array.isArray(content)) sources.push(...otherParts(content));
  return sources;
}

/** What a content list holds beside text, thinking and images: references and whatever else there may come. */
export const otherParts = (content: readonly unknown[]): unknown[] =>
  content.filter((part) => !READ_ELSEWHERE.has(objectOf(part)?.["type"]));

/** Sources that stand beside the choices, each once: the list is said again in chunk after chunk. */
export class AnswerSources {
  readonly #seen = new Set<string>();

  /** Those that were not told yet. */
  read(answer: JsonObject): unknown[] {
    const { search_results: results, citations } = answer;
    if (!Array.isArray(results) && !Array.isArray(citations)) return [];
    const sources: unknown[] = [];
    for (const result of itemsOf(results)) this.#add(citationOf(objectOf(result)) ?? result, urlOf(result), sources);
    for (const url of itemsOf(citations)) this.#add(citationOf({ url }) ?? url, urlOf(url), sources);
    return sources;
  }

  #add(source: unknown, url: string | undefined, sources: unknown[]): void {
    const key = url ?? JSON.stringify(source);
    if (this.#seen.has(key)) return;
    this.#seen.add(key);
    sources.push(source);
  }
}

const urlOf = (source: unknown): string | undefined => textOf(source) ?? textOf(objectOf(source)?.["url"]);

/** The provider does not say which words a source is for: 0 to 0, as OpenRouter writes it. */
function citationOf(said: JsonObject | undefined): unknown {
  const url = textOf(said?.["url"]);
  if (!said || url === undefined) return undefined;
  const { url: _, title, content, snippet, ...others } = said;
  const quoted = textOf(content) ?? textOf(snippet);
  return {
    type: "url_citation",
    url_citation: {
      url,
      title: textOf(title) ?? url,
      start_index: 0,
      end_index: 0,
      ...(quoted === undefined ? {} : { content: quoted }),
      ...others,
    },
  };
}

/** Images that the model made: in a list of their own, or among the parts of the content. */
export function imagesOf(message: JsonObject, choice: number): ChatEvent[] {
  const { images, content } = message;
  const parts = Array.isArray(content) ? content.filter((part) => objectOf(part)?.["type"] === "image_url") : [];
  return [...itemsOf(images), ...parts].flatMap((image): ChatEvent[] => {
    const said = objectOf(image)?.["image_url"];
    const url = textOf(said) ?? textOf(objectOf(said)?.["url"]);
    return url === undefined ? [] : [{ type: "image", choice, media: imageOf(url) }];
  });
}

function imageOf(url: string): Media {
  const match = /^data:([^,]*);base64,/i.exec(url.slice(0, 200));
  return match ? { kind: "base64", mediaType: match[1] ?? "", data: url.slice(match[0].length) } : { kind: "url", url };
}
