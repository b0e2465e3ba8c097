import { existsSync, type Stats, statSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { ReelmillError } from "../../../base/errors.ts";
import { looksLikeAddress, translateInputError } from "../../../base/file-errors.ts";
import { printableJson, printableLine } from "../../../base/printable.ts";
import { formatCount } from "../../../base/units.ts";
import {
  checkPresentation,
  type PresentationReport,
  type UnreadPlaylist,
} from "../../../media/hls/check/check-presentation.ts";
import type { DecryptSource } from "../../../media/hls/check/presentation.ts";
import type { Finding, Outcome, RuleResult } from "../../../media/hls/check/rule.ts";
import { readContentKey } from "../../../pipelines/hls/content-key.ts";
import { createDecrypter } from "../../../pipelines/hls/encrypt.ts";
import { MAIN_PLAYLIST } from "../../../pipelines/hls/index.ts";
import { presentationOpener } from "../../../pipelines/hls/open-presentation.ts";
import type { CliContext } from "../cli-context.ts";
import { EXIT_FAILURE, EXIT_OK } from "../exit-codes.ts";
import { formatTable } from "../table.ts";

const MISSING_KEY = "The segments are encrypted: with --key <file>, the 16 bytes of their key, they would be checked.";
const WRONG_KEY = "Nearly nothing could be decrypted: --key is probably not the key of this package.";
const UNUSED_KEY = "--key was not needed: there is no segment that it could decrypt.";

/** So many reasons are printed why rules were not checked; JSON has them all. */
const MAX_REASONS = 10;

/** `reelmill hls check` as the command line gives it. */
export interface HlsCheckOptions {
  /** Print JSON on standard output. */
  readonly json: boolean;
  /** Path of the key that encrypted segments are read with. */
  readonly key?: string | undefined;
}

/**
 * Checks the presentation of a playlist and prints what failed and what could not be checked. Gives 0 where no must failed,
 * else 1. Throws INPUT_NOT_FOUND, INPUT_IS_DIRECTORY, INPUT_SYMLINK_LOOP, INPUT_UNREADABLE and INPUT_EMPTY for the playlist
 * itself and the key, PARAMS_INVALID where that is none, and ABORTED.
 */
export async function runHlsCheckCommand(
  playlist: string,
  options: HlsCheckOptions,
  context: CliContext,
): Promise<number> {
  requirePlaylist(playlist);
  const open = presentationOpener(dirname(playlist));
  const key = options.key === undefined ? undefined : createDecrypter(readContentKey(options.key));
  const { decrypt, wanted } = watchUse(key);
  const report = await checkPresentation(open, basename(playlist), context.signal, decrypt);
  const notices = describeKeyUse(key !== undefined, wanted);
  context.writeOutput(
    options.json ? `${printableJson({ ...report, notices })}\n` : formatReport(playlist, report, notices),
  );
  return report.isConforming ? EXIT_OK : EXIT_FAILURE;
}

/** Says what to name where it is not a playlist's file. */
function requirePlaylist(playlist: string): void {
  const found = lookAt(playlist);
  if (found === undefined && looksLikeAddress(playlist)) {
    const problem = `${playlist} is an address, and hls check fetches nothing.`;
    throw new ReelmillError("INPUT_NOT_FOUND", problem, { advice: "Name the main.m3u8 of a package on this machine." });
  }
  if (found?.isDirectory() !== true) return;
  const advice = existsSync(join(playlist, MAIN_PLAYLIST))
    ? `Its playlist is ${join(playlist, MAIN_PLAYLIST)}.`
    : "Name the multivariant playlist in it.";
  throw new ReelmillError("INPUT_IS_DIRECTORY", `${playlist} is a folder, not a playlist.`, { advice });
}

function lookAt(path: string): Stats | undefined {
  try {
    return statSync(path, { throwIfNoEntry: false });
  } catch (error) {
    throw translateInputError(path, error);
  }
}

/** How often a key was wanted, and how often it did not fit. */
interface KeyUse {
  segments: number;
  misfits: number;
}

/** Counts what a key is wanted for; without one nothing is decrypted. */
function watchUse(key: DecryptSource | undefined): { readonly decrypt: DecryptSource; readonly wanted: KeyUse } {
  const wanted = { segments: 0, misfits: 0 };
  const decrypt: DecryptSource = (...segment) => {
    wanted.segments++;
    try {
      return key?.(...segment);
    } catch (error) {
      wanted.misfits++;
      throw error;
    }
  };
  return { decrypt, wanted };
}

function describeKeyUse(hasKey: boolean, { segments, misfits }: KeyUse): readonly string[] {
  if (!hasKey) return segments === 0 ? [] : [MISSING_KEY];
  if (segments === 0) return [UNUSED_KEY];
  // Of 256 segments that a wrong key garbles, one looks right.
  return misfits > segments / 2 ? [WRONG_KEY] : [];
}

function formatReport(playlist: string, { rules, unread }: PresentationReport, notices: readonly string[]): string {
  const failed = rules.filter(({ outcome }) => outcome === "failed");
  const columns = [{ title: "failed" }, { title: "level" }, { title: "clause" }];
  const rows = failed.map(({ id, level, clause }) => [id, level, clause]);
  const told = failed.length === 0 ? [] : [formatTable(columns, rows), failed.map(formatFindings).join("")];
  const unchecked = rules.filter(({ outcome }) => outcome === "not-checked");
  const last = [...notices, `${printableLine(playlist)}: ${summarize(rules)}`].map((line) => `${line}\n`).join("");
  return [...told, ...(unchecked.length === 0 ? [] : [formatUnchecked(unchecked, unread)]), last].join("\n");
}

function formatFindings({ id, title, findings, moreFindings }: RuleResult): string {
  return formatSection(`${id}: ${title}`, findings, moreFindings);
}

/** One file that is missing keeps most rules from being checked; where all could be read, the rules have reasons of their own. */
function formatUnchecked(rules: readonly RuleResult[], unread: readonly UnreadPlaylist[]): string {
  const own = new Map(
    rules.flatMap(({ findings }) => findings).map((finding) => [`${finding.where} ${finding.message}`, finding]),
  );
  const playlists = unread.map(({ path, reason }) => ({ where: path, message: `${reason}.` }));
  const reasons = playlists.length > 0 ? playlists : [...own.values()];
  const shown = reasons.slice(0, MAX_REASONS);
  return formatSection(`not checked: ${rules.map(({ id }) => id).join(", ")}`, shown, reasons.length - shown.length);
}

function formatSection(title: string, findings: readonly Finding[], moreFindings: number): string {
  const lines = findings.map(({ where, message }) => `  ${printableLine(where)}: ${printableLine(message)}`);
  const more = moreFindings === 0 ? [] : [`  and ${moreFindings} more`];
  return `${[title, ...lines, ...more].join("\n")}\n`;
}

function summarize(rules: readonly RuleResult[]): string {
  const count = (outcome: Outcome): number => rules.filter((rule) => rule.outcome === outcome).length;
  const failed = rules.filter(({ outcome }) => outcome === "failed");
  const musts = failed.filter(({ level }) => level === "must").length;
  const broken = `${formatCount(musts, "must", "musts")} and ${formatCount(failed.length - musts, "should", "shoulds")} failed`;
  return `${broken}, ${count("passed")} passed, ${count("not-checked")} not checked, ${count("not-applicable")} do not apply`;
}
