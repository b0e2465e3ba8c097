import type { z } from "zod";
import { describeIssue } from "../../base/describe-issue.ts";
import { ReelmillError } from "../../base/errors.ts";

/** Settings that are given as switches are named as a job's params have them: `audioBitrate` → `--audio-bitrate`. */
function switchOf(name: string): string {
  return `--${name.replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;
}

/** A message about the settings named, in the words of the command line. */
export function nameSwitches(message: string, settings: readonly string[]): string {
  const listed = message.replaceAll(/\(([^()]+)\)/g, (whole: string, inside: string) => {
    const names = inside.split(", ");
    return names.every((name) => settings.includes(name)) ? `(${names.map(switchOf).join(", ")})` : whole;
  });
  return nameWhere(listed, settings, "is|are|has|names|and|exclude|cannot|go|must|where");
}

/** As `nameSwitches`, of a sentence of a report: there, what settings are called are words like others but where they do something. */
export function nameSwitchesOf(finding: string, settings: readonly string[]): string {
  return nameWhere(finding, settings, "changes|encodes|makes|turns");
}

/** Names of one word are settings before these verbs alone; `audioBitrate` is no word of anything else, but for a part of a path or a quotation. */
function nameWhere(text: string, settings: readonly string[], verbs: string): string {
  const names = new RegExp(`(?<![-\\w./"])(${settings.join("|")})\\b(?![-/"]|\\.\\w)`, "g");
  const isFollowed = new RegExp(`^,? (${verbs})\\b`);
  return text.replaceAll(names, (name: string, _group: string, index: number) => {
    const isSetting = /[A-Z]/.test(name) || isFollowed.test(text.slice(index + name.length));
    return isSetting ? switchOf(name) : name;
  });
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
