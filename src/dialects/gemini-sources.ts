// Where an answer's words come from: Google's grounding and citations as OpenAI's url_citation annotations.
// https://ai.google.dev/api/generate-content#GroundingMetadata. Google counts UTF-8 bytes, OpenAI characters.
import { countOf, itemsOf, type JsonObject, objectOf, textOf } from "./provider-json";

interface Span {
  from: number;
  to: number;
}

interface Source {
  url: string;
  title: string;
  span: Span;
}

/** Annotations of one candidate's whole text. What has no address stays the provider's own object. */
export function annotationsOf(text: string, grounding: JsonObject | undefined, citations: readonly unknown[]): unknown[] {
  const sources = [...groundingSources(text, grounding), ...citationSources(citations)];
  const places = characterPlaces(
    text,
    sources.flatMap(({ span }) => [span.from, span.to]),
  );
  const addressed = sources.map(({ url, title, span }) => ({
    type: "url_citation",
    url_citation: { url, title, start_index: places.get(span.from) ?? 0, end_index: places.get(span.to) ?? text.length },
  }));
  return [...addressed, ...citations.filter((citation) => textOf(objectOf(citation)?.["uri"]) === undefined)];
}

/** Each support names the chunks (sources) of one segment. Chunks that no support names stand for the whole text. */
function groundingSources(text: string, grounding: JsonObject | undefined): Source[] {
  const chunks = itemsOf(grounding?.["groundingChunks"]).map((chunk) => {
    const said = objectOf(chunk);
    return objectOf(said?.["web"]) ?? objectOf(said?.["retrievedContext"]) ?? objectOf(said?.["maps"]);
  });
  const whole = { from: 0, to: utf8Length(text) };
  const named = itemsOf(grounding?.["groundingSupports"]).flatMap((support) => {
    const segment = objectOf(objectOf(support)?.["segment"]);
    const span = { from: countOf(segment?.["startIndex"]) ?? 0, to: countOf(segment?.["endIndex"]) ?? whole.to };
    return itemsOf(objectOf(support)?.["groundingChunkIndices"]).map((index) => ({ index, span }));
  });
  const used = new Set(named.map(({ index }) => index));
  const unnamed = chunks.flatMap((_, index) => (used.has(index) ? [] : [{ index, span: whole }]));
  return [...named, ...unnamed].flatMap(({ index, span }) => {
    const chunk = typeof index === "number" ? chunks[index] : undefined;
    const url = textOf(chunk?.["uri"]);
    return url === undefined ? [] : [{ url, title: textOf(chunk?.["title"]) ?? url, span }];
  });
}

function citationSources(citations: readonly unknown[]): Source[] {
  return citations.flatMap((citation) => {
    const said = objectOf(citation);
    const url = textOf(said?.["uri"]);
    if (url === undefined) return [];
    const span = { from: countOf(said?.["startIndex"]) ?? 0, to: countOf(said?.["endIndex"]) ?? 0 };
    return [{ url, title: textOf(said?.["title"]) ?? url, span }];
  });
}

/** Where UTF-8 byte offsets lie in a string, in one walk. Offsets beyond the end lie at the end. */
function characterPlaces(text: string, offsets: readonly number[]): Map<number, number> {
  const places = new Map<number, number>();
  let byte = 0;
  let at = 0;
  for (const offset of [...new Set(offsets)].sort((a, b) => a - b)) {
    while (byte < offset && at < text.length) {
      const code = text.codePointAt(at) ?? 0;
      byte += utf8Width(code);
      at += code > 0xffff ? 2 : 1;
    }
    places.set(offset, at);
  }
  return places;
}

const utf8Width = (code: number): number => (code < 0x80 ? 1 : code < 0x800 ? 2 : code < 0x10000 ? 3 : 4);

function utf8Length(text: string): number {
  let length = 0;
  for (const character of text) length += utf8Width(character.codePointAt(0) ?? 0);
  return length;
}
