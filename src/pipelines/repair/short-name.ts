import { resolve, sep } from "node:path";

/**
 * A file's name as a message may give it: with as many of its folders before it as tell it from the other files of `among`,
 * which may hold `path` itself.
 */
export function shortName(path: string, among: readonly string[]): string {
  const parts = partsOf(path);
  const others = among.map(partsOf).filter((other) => other.join(sep) !== parts.join(sep));
  const isTold = (count: number): boolean => {
    const name = tail(parts, count);
    return others.every((other) => tail(other, count) !== name);
  };
  let count = 1;
  while (count < parts.length && !isTold(count)) count++;
  return tail(parts, count);
}

function partsOf(path: string): readonly string[] {
  return resolve(path).split(sep);
}

function tail(parts: readonly string[], count: number): string {
  return parts.slice(-count).join(sep);
}
