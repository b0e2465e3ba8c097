import type { z } from "zod";
import { describeIssue } from "../../base/describe-issue.ts";
import { ReelmillError } from "../../base/errors.ts";

/** Settings that are given as switches are named as a job's params have them: `audioBitrate` → `--audio-bitrate`. */
function switchOf(name: string): string {
  return `--${name.replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;
}

/** A message about the settings named, in the words of the command line. */
export function nameSwitches(message: string, settings: readonly string[]): string {
  return nameBefore(message, settings, "is|are|has|names|and|exclude|cannot|go|must|where");
}

/** As `nameSwitches`, of a sentence of a report: there, what settings are called are words like others but where they do something. */
export function nameSwitchesOf(finding: string, settings: readonly string[]): string {
  return nameBefore(finding, settings, "changes|encodes|makes|turns");
}

function nameBefore(text: string, settings: readonly string[], verbs: string): string {
  const names = new RegExp(`(?<![-\\w])(${settings.join("|")})\\b(?=,? (${verbs})\\b)`, "g");
  return text.replaceAll(names, switchOf);
}

/** USAGE, with what is wrong with each switch of those given. */
export function describeMisuse(
  error: z.ZodError,
  given: Readonly<Record<string, unknown>>,
  settings: readonly string[],
): ReelmillError {
  const faults = error.issues.map((issue) => {
    const [name] = issue.path;
    const fault = describeIssue(issue, given);
    return name === undefined ? nameSwitches(fault, settings) : `${switchOf(String(name))}: ${fault}`;
  });
  return new ReelmillError("USAGE", `${faults.join("; ").replace(/\.$/, "")}.`);
}
