import { ReelmillError } from "../base/errors.ts";

const MAX_LINE_LENGTH = 64 * 1024;

/** Takes the lines of what a program prints from pieces cut anywhere. */
export interface LineReader {
  /** Throws FFMPEG_FAILED where a line of more than 64 KiB has not ended yet. */
  readonly feed: (piece: Buffer) => void;
  /** Gives out the last line where no line feed ended it. */
  readonly end: () => void;
}

/** Hands on the lines that are not empty, less their line feeds; `program` is named where one does not end. */
export function createLineReader(program: string, onLine: (line: string) => void): LineReader {
  let rest = "";
  const emit = (line: string): void => {
    if (line !== "") onLine(line);
  };
  return {
    feed: (piece) => {
      const lines = (rest + piece.toString("latin1")).split("\n");
      rest = lines.pop() ?? "";
      if (rest.length > MAX_LINE_LENGTH) {
        throw new ReelmillError("FFMPEG_FAILED", `${program} printed a line without an end.`);
      }
      lines.forEach(emit);
    },
    end: () => {
      emit(rest);
      rest = "";
    },
  };
}
