// What a Gemini model id says of its generation: some fields of the dialect changed their meaning with it.

/** 2, 2.5, 3.5 …; undefined for ids without a number ("gemini-flash-latest"), which always name the newest. */
export function generationOf(model: string): number | undefined {
  const number = /^gemini-(\d+(?:\.\d+)?)(?:-|$)/.exec(model)?.[1];
  return number === undefined ? undefined : Number(number);
}

/** Thinking levels instead of budgets, signed function calls, search billed by query: https://ai.google.dev/gemini-api/docs/gemini-3 */
export const isGeneration3 = (model: string): boolean => (generationOf(model) ?? 3) >= 3;
