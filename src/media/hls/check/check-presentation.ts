import { isPartlyUnread, unreadReason } from "./figures.ts";
import type { DecryptSource, OpenSource } from "./presentation.ts";
import { readPresentation } from "./read-presentation.ts";
import { type RuleResult, Verdict } from "./rule.ts";
import { ALL_RULES } from "./rules/all-rules.ts";

/** A playlist of which not all could be looked into. */
export interface UnreadPlaylist {
  /** Below the presentation's folder. */
  readonly path: string;
  /** Part of a sentence. */
  readonly reason: string;
}

/** What came of checking a presentation. */
export interface PresentationReport {
  readonly schema: 1;
  /** Of the playlist that was checked, below its folder. */
  readonly playlist: string;
  /** Whether no must failed. */
  readonly isConforming: boolean;
  /** Playlists of which not all could be looked into, which keeps rules from being checked. */
  readonly unread: readonly UnreadPlaylist[];
  /** Every rule, in the order of the table. */
  readonly rules: readonly RuleResult[];
}

/**
 * Checks the presentation whose multivariant playlist, or only media playlist, lies at `path`: reads every playlist and the
 * index data of every segment, then asks every rule. Without `decrypt`, rules that need encrypted bytes are not checked. Holds one segment's index at a time. Throws what `open` throws for the
 * playlist itself, and ABORTED; all else that is wrong becomes findings.
 */
export async function checkPresentation(
  open: OpenSource,
  path: string,
  signal: AbortSignal,
  decrypt?: DecryptSource,
): Promise<PresentationReport> {
  const presentation = await readPresentation({ open, decrypt }, path, signal);
  const rules = ALL_RULES.map((rule) => {
    const verdict = new Verdict();
    rule.check(presentation, verdict);
    return verdict.finish(rule);
  });
  const isConforming = rules.every(({ level, outcome }) => level === "should" || outcome !== "failed");
  const unread = presentation.playlists.filter(isPartlyUnread);
  const reasons = unread.map((media) => ({ path: media.path, reason: unreadReason(media) }));
  return { schema: 1, playlist: path, isConforming, unread: reasons, rules };
}
