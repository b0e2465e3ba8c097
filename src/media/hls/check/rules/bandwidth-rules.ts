import type { RenditionType, StreamAttributes } from "../../playlist.ts";
import { addRates, type BitRates, bitRatesOf, largestRates, nameStream, shownRate, videoVariants } from "../figures.ts";
import type { MeasuredPlaylist, Presentation, VariantView } from "../presentation.ts";
import type { Rule, Verdict } from "../rule.ts";

/** Measured values may differ by so much of what is declared (Apple 1.26, 1.27). */
const TOLERANCE = 0.1;
const MAX_SMALLEST_BITS_PER_SECOND = 192_000;
const DEFAULT_BITS_PER_SECOND = 2_000_000;
/** How far from 2000 kbit/s still counts as that rung. */
const DEFAULT_TOLERANCE = 0.25;
const MAX_PEAK_TO_AVERAGE = 2;

interface StreamRates {
  readonly stream: StreamAttributes;
  /** Undefined where a size is not known. */
  readonly rates: BitRates | undefined;
}

/** The largest of a group's other playlists; undefined where one is not known. */
function largestOf(presentation: Presentation, type: RenditionType, groupId: string, own: MeasuredPlaylist) {
  const rates: BitRates[] = [];
  for (const { rendition, media } of presentation.renditions) {
    if (rendition.type !== type || rendition.groupId !== groupId || rendition.uri === undefined) continue;
    if (media?.path === own.path) continue;
    const one = media && bitRatesOf(media);
    if (one === undefined) return undefined;
    rates.push(one);
  }
  return largestRates(rates);
}

/** Each stream with the rates of the playable combination that needs most (RFC 8216bis §4.4.6.2). */
function streamRates(presentation: Presentation): readonly StreamRates[] {
  const variants = presentation.variants.map(({ variant, media }): StreamRates => {
    let rates = media && bitRatesOf(media);
    const groups: readonly (readonly [RenditionType, string | undefined])[] = [
      ["AUDIO", variant.audioGroupId],
      ["SUBTITLES", variant.subtitlesGroupId],
    ];
    for (const [type, groupId] of groups) {
      if (groupId === undefined || media === undefined || rates === undefined) continue;
      const more = largestOf(presentation, type, groupId, media);
      rates = more && addRates(rates, more);
    }
    return { stream: variant, rates };
  });
  const iFrames = presentation.iFrames.map(({ variant, media }) => ({
    stream: variant,
    rates: media && bitRatesOf(media),
  }));
  return [...variants, ...iFrames];
}

/** Runs `compare` for each stream whose rates are known, and says of the others that they were not checked. */
function forEachRate(
  presentation: Presentation,
  verdict: Verdict,
  compare: (stream: StreamAttributes, rates: BitRates) => void,
): void {
  for (const { stream, rates } of streamRates(presentation)) {
    if (rates === undefined) verdict.unchecked(nameStream(stream), "The sizes of its segments are not all known.");
    else {
      verdict.looked();
      compare(stream, rates);
    }
  }
}

/** To 10 %, and to the whole bit per second that is declared: streams of one picture take no more than a few. */
function isNear(declared: number, measured: number): boolean {
  return Math.abs(declared - measured) <= Math.max(1, TOLERANCE * declared);
}

/** Rules of bit rates, measured over file sizes and EXTINF. */
export const BANDWIDTH_RULES: readonly Rule[] = [
  {
    id: "bandwidth-covers-peak",
    level: "must",
    clause: "RFC 8216bis §4.4.6.2; Apple 9.13, 6.9",
    title: "BANDWIDTH is no less than the peak segment bit rates measured, those of the largest renditions added.",
    check: (presentation, verdict) =>
      forEachRate(presentation, verdict, (stream, { peak }) => {
        const declared = stream.bandwidthBitsPerSecond;
        if (declared + 1 >= peak) return;
        verdict.fail(nameStream(stream), `BANDWIDTH is ${declared}; a peak of ${shownRate(peak)} was measured.`);
      }),
  },
  {
    id: "bandwidth-within-10-percent",
    level: "must",
    clause: "Apple 1.27",
    title: "The peak bit rate measured is within 10 % of BANDWIDTH, or the average where that is larger.",
    check: (presentation, verdict) =>
      forEachRate(presentation, verdict, (stream, { peak, average }) => {
        const declared = stream.bandwidthBitsPerSecond;
        // A peak below the average leaves out what is too short to count: players may be told of the average, or of what lies between.
        const measured = Math.min(Math.max(declared, peak), Math.max(peak, average));
        if (isNear(declared, measured)) return;
        const more = average > peak ? `, and an average of ${shownRate(average)}` : "";
        verdict.fail(nameStream(stream), `BANDWIDTH is ${declared}; a peak of ${shownRate(peak)}${more} was measured.`);
      }),
  },
  {
    id: "average-bandwidth",
    level: "must",
    clause: "Apple 1.26, 9.14",
    title: "AVERAGE-BANDWIDTH is there, and the average bit rate measured is within 10 % of it.",
    check: (presentation, verdict) =>
      forEachRate(presentation, verdict, (stream, { average }) => {
        const declared = stream.averageBandwidthBitsPerSecond;
        if (declared === undefined) verdict.fail(nameStream(stream), "AVERAGE-BANDWIDTH is missing.");
        else if (!isNear(declared, average)) {
          const measured = `an average of ${shownRate(average)} was measured`;
          verdict.fail(nameStream(stream), `AVERAGE-BANDWIDTH is ${declared}; ${measured}.`);
        }
      }),
  },
  {
    id: "variant-for-cellular",
    level: "must",
    clause: "Apple 9.21",
    title: "One variant has a BANDWIDTH of 192 kbit/s or less.",
    check: ({ variants }, verdict) => {
      const rates = variants.map(({ variant }) => variant.bandwidthBitsPerSecond);
      if (rates.length === 0) return;
      verdict.looked();
      const least = Math.min(...rates);
      if (least <= MAX_SMALLEST_BITS_PER_SECOND) return;
      verdict.fail(
        "the multivariant playlist",
        `The smallest BANDWIDTH is ${least}; 192000 or less must be among them.`,
      );
    },
  },
  {
    id: "several-variants",
    level: "must",
    clause: "Apple 9.9",
    title: "Pictures are there at several bit rates; where they are too plain to differ in that, at several sizes.",
    check: (presentation, verdict) => {
      const videos = videoVariants(presentation);
      if (videos.length === 0) return;
      verdict.looked();
      const kinds = videos.map(({ variant: { bandwidthBitsPerSecond: rate, resolution: size } }) =>
        [rate, size?.widthPixels, size?.heightPixels].join(),
      );
      if (new Set(kinds).size > 1) return;
      verdict.fail("the multivariant playlist", "All variants have one BANDWIDTH and one RESOLUTION.");
    },
  },
  {
    id: "peak-to-average",
    level: "should",
    clause: "Apple 1.30",
    title: "The peak bit rate is no more than twice the average.",
    check: (presentation, verdict) =>
      forEachRate(presentation, verdict, (stream, { peak, average }) => {
        if (presentation.iFrames.some(({ variant }) => variant === stream)) return;
        if (peak <= MAX_PEAK_TO_AVERAGE * average) return;
        verdict.fail(nameStream(stream), `The peak is ${shownRate(peak)}, the average ${shownRate(average)}.`);
      }),
  },
  {
    id: "default-variant",
    level: "should",
    clause: "Apple 1.32",
    title: "The first variant, which players begin with, has about 2000 kbit/s on average, where any has as much.",
    check: (presentation, verdict) => {
      const [first] = presentation.variants;
      if (first === undefined || videoVariants(presentation).length === 0) return;
      const rateOf = ({ variant }: VariantView): number =>
        variant.averageBandwidthBitsPerSecond ?? variant.bandwidthBitsPerSecond;
      // A small recording has no rung of so much: none of its variants could stand first.
      const least = (1 - DEFAULT_TOLERANCE) * DEFAULT_BITS_PER_SECOND;
      if (presentation.variants.every((view) => rateOf(view) < least)) return;
      verdict.looked();
      const rate = rateOf(first);
      if (Math.abs(rate - DEFAULT_BITS_PER_SECOND) <= DEFAULT_TOLERANCE * DEFAULT_BITS_PER_SECOND) return;
      verdict.fail(nameStream(first.variant), `It has ${shownRate(rate)}; 1500 to 2500 kbit/s count as about 2000.`);
    },
  },
];
