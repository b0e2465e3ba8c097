import type { FaultKind } from "../presentation.ts";
import type { Rule } from "../rule.ts";

/** A rule whose breaches were found while the presentation was read. */
function faultRule(id: FaultKind, clause: string, title: string): Rule {
  return {
    id,
    level: "must",
    clause,
    title,
    check: ({ faults }, verdict) => {
      verdict.looked();
      for (const { kind, where, message } of faults) if (kind === id) verdict.fail(where, message);
    },
  };
}

/** What keeps files from being read. */
export const FAULT_RULES: readonly Rule[] = [
  faultRule("playlist-syntax", "RFC 8216bis §4.1, §4.2", "Every playlist is as the specification writes it."),
  faultRule(
    "references-relative",
    "RFC 8216bis §4.1; that others are not followed is a rule of Reelmill's own",
    "Every URI is a plain relative reference within the multivariant playlist's folder; others are not followed.",
  ),
  faultRule(
    "files-exist",
    "RFC 8216bis §4.1",
    "Every playlist, segment and initialization section that is named is there.",
  ),
  faultRule("byte-ranges-within-file", "RFC 8216bis §4.4.4.2, §4.4.4.5", "Every byte range lies within its file."),
  faultRule(
    "segments-readable",
    "RFC 8216bis §3.1",
    "Every segment is MPEG-TS, fragmented MP4, packed audio or WebVTT, and can be parsed.",
  ),
];
