import { ReelmillError } from "../../base/errors.ts";

/** What an HLS segment of subtitles holds (RFC 8216bis §3.1.4, WebVTT §4). */
export interface WebVttSegment {
  /** X-TIMESTAMP-MAP: the cue time that belongs to a time of the media. Undefined where the header has none. */
  readonly timestampMap: { readonly localSeconds: number; readonly mpegTicks: number } | undefined;
  /** In the order of the file. */
  readonly cues: readonly WebVttCue[];
}

/** One cue. */
export interface WebVttCue {
  readonly startSeconds: number;
  readonly endSeconds: number;
  /** As it stands in the file, lines parted by LF. */
  readonly text: string;
}

const TIME = /^(?:(\d{2,}):)?([0-5]\d):([0-5]\d)\.(\d{3})$/;
/** More cues than this in one segment are hostile. */
const MAX_CUES = 100_000;

/**
 * Parses a WebVTT file: its header, its timestamp map and its cues; markup in their text stays as it is. Throws
 * MEDIA_MALFORMED with the line's number where the header or a cue's times are none, or a block has none and is no other that WebVTT knows.
 */
export function parseWebVtt(text: string): WebVttSegment {
  const lines = text.replace(/^\ufeff/, "").split(/\r\n|\n|\r/);
  const head = lines[0] ?? "";
  if (!/^WEBVTT($|[ \t])/.test(head)) throw webVttError(1, `it is ${shown(head)}; WEBVTT is what it must begin with`);
  let timestampMap: WebVttSegment["timestampMap"];
  const cues: WebVttCue[] = [];
  let isHeader = true;
  let begin = 0;
  for (const [index, line] of lines.entries()) {
    if (index === 0) continue;
    if (line === "") isHeader = false;
    // Of blanks nobody misses anything.
    if (line.trim() === "") begin = index + 1;
    else if (!isHeader && index === begin) requireBlock(lines, begin);
    if (isHeader && line.startsWith("X-TIMESTAMP-MAP=")) timestampMap = parseMap(line, index + 1);
    if (!line.includes("-->")) continue;
    isHeader = false;
    if (cues.length >= MAX_CUES) throw webVttError(index + 1, `more than ${MAX_CUES} cues stand in one segment`);
    cues.push({ ...parseCue(line, index + 1), text: textBehind(lines, index) });
  }
  return { timestampMap, cues };
}

/** Blocks without times (WebVTT §4.1); of any other, players show nothing. */
const UNTIMED = /^(NOTE|STYLE|REGION)($|[ \t])/;

function requireBlock(lines: readonly string[], begin: number): void {
  const line = lines[begin] ?? "";
  // A cue may have a line of its own before that of its times.
  if (UNTIMED.test(line) || line.includes("-->") || lines[begin + 1]?.includes("-->") === true) return;
  throw webVttError(begin + 1, `${shown(line)} begins no cue: a line of times with --> must follow`);
}

/** The lines behind that of a cue's times, to the next empty one or the next times. */
function textBehind(lines: readonly string[], index: number): string {
  let end = index + 1;
  while (end < lines.length && lines[end] !== "" && lines[end]?.includes("-->") === false) end++;
  return lines.slice(index + 1, end).join("\n");
}

function parseCue(line: string, lineNumber: number): Omit<WebVttCue, "text"> {
  const [start = "", end = ""] = line.split("-->").map((part) => part.trim().split(/[ \t]/)[0] ?? "");
  const startSeconds = parseTime(start, lineNumber);
  const endSeconds = parseTime(end, lineNumber);
  if (endSeconds < startSeconds) throw webVttError(lineNumber, `the cue ends at ${end}, before it starts at ${start}`);
  return { startSeconds, endSeconds };
}

function parseMap(line: string, lineNumber: number): NonNullable<WebVttSegment["timestampMap"]> {
  const fields = line.slice("X-TIMESTAMP-MAP=".length).split(",");
  const fieldOf = (name: string): string | undefined =>
    fields.find((field) => field.startsWith(`${name}:`))?.slice(name.length + 1);
  const local = fieldOf("LOCAL");
  const ticks = fieldOf("MPEGTS") ?? "";
  if (local === undefined || !/^\d{1,10}$/.test(ticks) || Number(ticks) >= 2 ** 33) {
    throw webVttError(lineNumber, `${shown(line)}; LOCAL with a time and MPEGTS with 33 bits of ticks are needed`);
  }
  return { localSeconds: parseTime(local, lineNumber), mpegTicks: Number(ticks) };
}

function parseTime(text: string, lineNumber: number): number {
  const match = TIME.exec(text);
  if (match === null) throw webVttError(lineNumber, `the time is ${shown(text)}; hh:mm:ss.ttt is allowed`);
  const [, hours = "0", minutes, seconds, milliseconds] = match;
  return Number(hours) * 3600 + Number(minutes) * 60 + Number(seconds) + Number(milliseconds) / 1000;
}

function shown(text: string): string {
  return JSON.stringify(text.slice(0, 80));
}

function webVttError(lineNumber: number, problem: string): ReelmillError {
  return new ReelmillError("MEDIA_MALFORMED", `WebVTT line ${lineNumber}: ${problem}.`);
}
