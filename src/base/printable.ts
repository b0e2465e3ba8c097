/**
 * What a terminal may take for a command, or shows nothing of: control characters (C0 but for the line feed, DEL, C1), those
 * that turn the direction of writing, line and paragraph separators.
 */
// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for.
const UNSAFE = /[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]/g;

/** Text that holds names from outside, for people: whatever could steer a terminal is shown as `\u001b`. Line feeds stay. */
export function printableText(text: string): string {
  return text.replace(UNSAFE, escapeCharacter);
}

/** As `printableText`, for a name or a message that belongs on one line. */
export function printableLine(text: string): string {
  return printableText(text).replaceAll("\n", escapeCharacter);
}

/** JSON for a terminal or a file: the same value, its strings escaped as `printableText` does. */
export function printableJson(value: unknown): string {
  // JSON itself escapes the rest; the blanks of the layout are no tabs.
  return printableText(JSON.stringify(value, null, 2));
}

/** A field's value for a line of `name=value`: in quotes only where blanks, quotes or signs of equality would confuse it. */
export function formatField(value: unknown): string {
  return typeof value === "string" && /^[^\s"=]+$/.test(value) ? value : JSON.stringify(value);
}

function escapeCharacter(character: string): string {
  return `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`;
}
