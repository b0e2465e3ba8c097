/**
 * Replaces texts by others in one pass, so that nothing is looked for in what was put in; where several begin at one place, the
 * longest counts.
 */
export function createReplacer(replacements: ReadonlyMap<string, string>): (text: string) => string {
  if (replacements.size === 0) return (text) => text;
  const longestFirst = [...replacements.keys()].sort((a, b) => b.length - a.length);
  const any = new RegExp(longestFirst.map((text) => RegExp.escape(text)).join("|"), "g");
  return (text) => text.replace(any, (found) => replacements.get(found) ?? found);
}
