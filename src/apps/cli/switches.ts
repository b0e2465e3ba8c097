import type { z } from "zod";
import { ReelmillError } from "../../base/errors.ts";

/** Settings that are given as switches are named as a job's params have them: `audioBitrate` → `--audio-bitrate`. */
function switchOf(name: string): string {
  return `--${name.replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;
}

/** A message about the settings named, in the words of the command line. */
export function nameSwitches(message: string, settings: readonly string[]): string {
  const names = new RegExp(
    `(?<![-\\w])(${settings.join("|")})\\b(?=,? (is|are|has|names|and|exclude|cannot|go|must|where))`,
    "g",
  );
  return message.replaceAll(names, switchOf);
}

/** USAGE, with what is wrong with each switch. */
export function describeMisuse(error: z.ZodError, settings: readonly string[]): ReelmillError {
  const faults = error.issues.map(({ path: [name], message }) =>
    name === undefined ? nameSwitches(message, settings) : `${switchOf(String(name))}: ${message}`,
  );
  return new ReelmillError("USAGE", `${faults.join("; ").replace(/\.$/, "")}.`);
}
