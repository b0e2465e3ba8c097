import { expect, it } from "vitest";
import { createLineReader } from "./lines.ts";

function read(pieces: readonly string[]): readonly string[] {
  const lines: string[] = [];
  const reader = createLineReader("ffmpeg", (line) => lines.push(line));
  for (const piece of pieces) reader.feed(Buffer.from(piece));
  reader.end();
  return lines;
}

it.each([
  [["one\ntwo\n"], ["one", "two"]],
  [
    ["o", "ne\nt", "wo"],
    ["one", "two"],
  ],
  [["\n\none\n\n"], ["one"]],
  [[], []],
])("gives the lines of %j", (pieces, lines) => {
  expect(read(pieces)).toEqual(lines);
});

it("refuses a line without an end", () => {
  expect(() => read(Array.from({ length: 70 }, () => "x".repeat(1024)))).toThrow(
    /ffmpeg printed a line without an end/,
  );
});
