/** The sum of one or more terms as an expression of ffmpeg's: its parser takes less than a hundred beside each other, but any number of pairs. */
export function sumInPairs(terms: readonly string[]): string {
  if (terms.length <= 1) return terms[0] ?? "0";
  const middle = terms.length >> 1;
  return `(${sumInPairs(terms.slice(0, middle))}+${sumInPairs(terms.slice(middle))})`;
}
