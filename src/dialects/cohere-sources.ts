// Where an answer's words come from: Cohere's citations as OpenAI's url_citation annotations.
// https://docs.cohere.com/docs/rag-citations. A citation names the documents and tool results that the gateway's caller sent.
import { countOf, itemsOf, type JsonObject, objectOf, textOf } from "./provider-json";

/** The text block that a citation is about, and where it begins in the whole text. */
export interface CitedText {
  from: number;
  text: string;
}

/** Sources with an address as OpenAI's annotations. What has none, or cites thoughts and plans, stays the provider's own object. */
export function annotationsOf(citation: JsonObject, cited: CitedText): unknown[] {
  const sources = itemsOf(citation["sources"]);
  const type = textOf(citation["type"]);
  const addressed = type === undefined || type === "TEXT_CONTENT" ? sources.filter((source) => addressOf(source) !== undefined) : [];
  const { start, end } = placeOf(citation, cited);
  const annotations: unknown[] = addressed.map((source) => {
    const url = addressOf(source) ?? "";
    const title = textOf(contentOf(source)?.["title"]) ?? url;
    return { type: "url_citation", url_citation: { url, title, start_index: cited.from + start, end_index: cited.from + end } };
  });
  const others = sources.filter((source) => !addressed.includes(source));
  if (others.length > 0 || sources.length === 0) annotations.push({ ...citation, sources: others });
  return annotations;
}

const contentOf = (source: unknown): JsonObject | undefined =>
  objectOf(objectOf(source)?.["document"]) ?? objectOf(objectOf(source)?.["tool_output"]);

/** The `url` field of the document, or an id that is one. */
function addressOf(source: unknown): string | undefined {
  const named = [textOf(contentOf(source)?.["url"]), textOf(objectOf(source)?.["id"])];
  return named.find((each) => each !== undefined && /^https?:\/\//.test(each));
}

/** Cohere counts Unicode characters, JavaScript UTF-16 units: the same until the first emoji. */
function placeOf(citation: JsonObject, { text }: CitedText): { start: number; end: number } {
  const start = countOf(citation["start"]) ?? 0;
  const end = countOf(citation["end"]) ?? text.length;
  if (text.slice(start, end) === citation["text"]) return { start, end };
  const characters = Array.from(text);
  const units = (count: number): number => characters.slice(0, count).join("").length;
  return { start: units(start), end: units(end) };
}
