import { join } from "node:path";
import type { Rung } from "./ladder.ts";
import type { PackagePlan, SoundPlan, SubtitlePlan } from "./packaging.ts";

/** What one process encodes. */
export interface EncodePart {
  /** Index of a span of pictures, which is encoded for all rungs; null: no pictures. */
  readonly span: number | null;
  /** Whether all sounds and subtitles are encoded, too. */
  readonly hasSound: boolean;
}

/** What is encoded, each part by itself: one for all where there is one span, else one for each span, that of sound and subtitles last. */
export function partsOf({ spans, sounds, subtitles }: PackagePlan): readonly EncodePart[] {
  if (spans.length === 1) return [{ span: 0, hasSound: true }];
  const pictures = spans.map((_span, span) => ({ span, hasSound: false }));
  return sounds.length + subtitles.length === 0 ? pictures : [...pictures, { span: null, hasSound: true }];
}

/** A part in words. */
export function describePart({ rungs, spans }: PackagePlan, { span }: EncodePart): string {
  if (span === null) return "sound and subtitles";
  return spans.length === 1 ? `${rungs.length} rungs` : `${rungs.length} rungs, span ${span + 1} of ${spans.length}`;
}

/** Where a rung's or a sound's media lie, whole, in the folder of the work. */
export function encodedPath(folder: string, { name }: Rung | SoundPlan): string {
  return join(folder, `${name}.mp4`);
}

/** As `encodedPath`, of a span of a rung; where it is the only one, the whole. */
export function spanPath(folder: string, { spans }: PackagePlan, rung: Rung, span: number): string {
  if (spans.length === 1) return encodedPath(folder, rung);
  return join(folder, `${rung.name}.span-${String(span).padStart(5, "0")}.mp4`);
}

/** As `encodedPath`, of a track of subtitles: a WebVTT file in the source's own times. */
export function subtitlePath(folder: string, { name }: SubtitlePlan): string {
  return join(folder, `${name}.vtt`);
}

/** The files that encoding a part leaves, by their paths in a folder. */
export function filesOf(plan: PackagePlan, { span, hasSound }: EncodePart, folder: string): readonly string[] {
  const { rungs, sounds, subtitles } = plan;
  return [
    ...(span === null ? [] : rungs.map((rung) => spanPath(folder, plan, rung, span))),
    ...(hasSound ? sounds.map((sound) => encodedPath(folder, sound)) : []),
    ...(hasSound ? subtitles.map((track) => subtitlePath(folder, track)) : []),
  ];
}
