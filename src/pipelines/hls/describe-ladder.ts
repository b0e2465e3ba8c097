import { formatCount } from "../../base/units.ts";
import { type HighRange, keepsHighRange } from "./high-range.ts";
import {
  askedRungs,
  type LadderSource,
  type LadderStep,
  lackingCellularStep,
  leaveRoomForPackets,
  type Rung,
  type RungCodec,
  tooLargeSteps,
} from "./ladder.ts";
import { type HlsSettings, ladderSteps } from "./options.ts";

/** What ladders depend on. */
export interface LadderParts {
  readonly source: LadderSource;
  readonly settings: HlsSettings;
  readonly highRange: HighRange | null;
  /** Of the pictures that are taken. */
  readonly framesPerSecond: number;
  readonly hasSound: boolean;
}

/** The steps of a codec, with less for pictures where the segments' container needs it. */
export function carriedSteps(parts: LadderParts, codec: RungCodec): readonly LadderStep[] {
  const { settings, highRange } = parts;
  return inSegments(parts, ladderSteps(settings, codec, keepsHighRange(highRange, codec)));
}

function inSegments({ settings, framesPerSecond }: LadderParts, steps: readonly LadderStep[]): readonly LadderStep[] {
  return settings.segments === "ts" ? leaveRoomForPackets(steps, framesPerSecond) : steps;
}

/**
 * What the ladders lack where there is no sound, which would be the variant for cellular networks by itself: a step of the first codec; none
 * where one of them has such a step.
 */
export function missingCellularSteps(parts: LadderParts, codec: RungCodec): readonly LadderStep[] {
  const { settings, hasSound } = parts;
  const [first] = settings.codecs;
  if (hasSound || codec !== first) return [];
  const ladders = settings.codecs.map((one) => lackingCellularStep(carriedSteps(parts, one)));
  const [step] = ladders;
  if (step === undefined || ladders.includes(undefined)) return [];
  return inSegments(parts, [step]);
}

/** Findings of where a package's rungs are not those of a ladder of the user's own. Nobody asked for the steps of Apple's. */
export function describeLadder(parts: LadderParts, rungs: readonly Rung[]): readonly string[] {
  const { settings } = parts;
  if (settings.ladder === undefined) return [];
  return [...describeLost(parts), ...settings.codecs.flatMap((codec) => describeChanged(parts, codec, rungs))];
}

function describeLost(parts: LadderParts): readonly string[] {
  const { source, settings } = parts;
  const lost = settings.codecs.flatMap((codec) => tooLargeSteps(source, carriedSteps(parts, codec)));
  if (lost.length === 0) return [];
  const heights = [...new Set(lost.map(({ shortPixels }) => shortPixels))].join(", ");
  const size = `${source.widthPixels}x${source.heightPixels}`;
  return [`Left out: ${formatCount(lost.length, "rung")} of the ladder (height ${heights}) above ${size}.`];
}

function describeChanged(parts: LadderParts, codec: RungCodec, rungs: readonly Rung[]): readonly string[] {
  const asked = askedRungs(parts.source, codec, carriedSteps(parts, codec));
  const cellular = askedRungs(parts.source, codec, missingCellularSteps(parts, codec));
  const names = new Set([...asked, ...cellular].map(({ name }) => name));
  const added = rungs.filter((rung) => rung.codec === codec && !names.has(rung.name));
  const same = rungs.filter(({ name }) => asked.filter((rung) => rung.name === name).length > 1);
  const show = (those: readonly Rung[]): string => those.map(showRung).join(", ");
  return [
    ...(cellular.length === 0
      ? []
      : [
          `Without sound nothing of the ladder is for cellular networks (192 kbit/s at most); ${show(cellular)} was added.`,
        ]),
    ...(added.length === 0
      ? []
      : [
          `The ladder has one rung of ${codec} that fits; ${show(added)} was added, because players need two to choose from.`,
        ]),
    ...(same.length === 0
      ? []
      : [`The ladder has rungs of ${codec} that are the same here, and made once: ${show(same)}.`]),
  ];
}

function showRung({ widthPixels, heightPixels, kilobitsPerSecond }: Rung): string {
  return `${Math.min(widthPixels, heightPixels)}p at ${kilobitsPerSecond} kbit/s`;
}
