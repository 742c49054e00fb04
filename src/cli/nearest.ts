// The word that was probably meant.

/** The nearest of the words; undefined where none is near: a third of the letters may differ, swapped neighbours count once. */
export function nearest(word: string, words: readonly string[]): string | undefined {
  let best: string | undefined;
  let least = Math.max(1, Math.floor(word.length / 3)) + 1;
  for (const each of words) {
    const distance = distanceOf(word, each);
    if (distance >= least) continue;
    best = each;
    least = distance;
  }
  return best;
}

/** Damerau-Levenshtein's distance, of neighbours only. */
function distanceOf(a: string, b: string): number {
  const rows = [Array.from({ length: b.length + 1 }, (_, j) => j)];
  const at = (i: number, j: number): number => rows[i]?.[j] ?? 0;
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    rows.push(row);
    for (let j = 1; j <= b.length; j++) {
      const same = a[i - 1] === b[j - 1];
      const swapped = i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1];
      row[j] = Math.min(
        at(i - 1, j) + 1,
        (row[j - 1] ?? 0) + 1,
        at(i - 1, j - 1) + (same ? 0 : 1),
        swapped ? at(i - 2, j - 2) + 1 : a.length + b.length,
      );
    }
  }
  return at(a.length, b.length);
}

/** " Did you mean …?", or nothing. */
export function meant(word: string, words: readonly string[], show: (found: string) => string = (found) => found): string {
  const found = nearest(word, words);
  return found === undefined ? "" : ` Did you mean ${show(found)}?`;
}
