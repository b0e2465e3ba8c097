import { ReelmillError } from "../../base/errors.ts";

/** A value in a message is cut to so many characters. */
const MAX_SHOWN_CHARACTERS = 80;

/** A value as a message shows it: in quotes, cut where it is long, control characters escaped. */
export function shownValue(value: string): string {
  const cut = value.length > MAX_SHOWN_CHARACTERS ? `${value.slice(0, MAX_SHOWN_CHARACTERS)}…` : value;
  return JSON.stringify(cut);
}

/** The error for a fault in a playlist; `lineNumber` counts from 1. */
export function playlistError(lineNumber: number, problem: string): ReelmillError {
  return new ReelmillError("MEDIA_MALFORMED", `Playlist line ${lineNumber}: ${problem}`);
}

/** The error for a value that is not allowed where it stands. */
export function valueError(lineNumber: number, what: string, value: string, allowed: string): ReelmillError {
  return playlistError(lineNumber, `${what} is ${shownValue(value)}; ${allowed} is allowed.`);
}

// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for.
const CONTROL = /[\u0000-\u001f\u007f-\u009f]/;

/** Whether text holds a control character (C0, DEL or C1), which nothing in a playlist may (RFC 8216bis §4.1). */
export function hasControlCharacter(text: string): boolean {
  return CONTROL.test(text);
}
