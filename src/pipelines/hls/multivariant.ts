import { ReelmillError } from "../../base/errors.ts";
import {
  addRates,
  allFacts,
  type BitRates,
  bitRatesOf,
  frameRateOf,
  largestRates,
  videoFacts,
} from "../../media/hls/check/figures.ts";
import type { MeasuredPlaylist } from "../../media/hls/check/presentation.ts";
import type { MultivariantPlaylist, StreamAttributes, VariantStream } from "../../media/hls/playlist.ts";
import { requiredVersion } from "../../media/hls/required-version.ts";
import type { RungCodec } from "./ladder.ts";
import {
  describeRenditions,
  type MeasuredSound,
  type MeasuredSubtitles,
  membersOf,
  SUBTITLES_GROUP,
} from "./renditions.ts";
import { MAX_FRAMES_PER_SECOND } from "./thin-pictures.ts";
import { I_FRAMES_PLAYLIST, SEGMENTS_PLAYLIST } from "./write-media.ts";

/** What players are to begin with, in bit/s (Apple 1.32). */
const DEFAULT_BITS_PER_SECOND = 2_000_000;

/** A rung as measured. */
export interface MeasuredRung {
  readonly name: string;
  readonly codec: RungCodec;
  readonly media: MeasuredPlaylist;
  readonly iFrames: MeasuredPlaylist;
}

/** So many bits of H.264 look like one of the codec: by the average bit rates of Apple's ladders; AV1 somewhat before HEVC. */
const WORTH: Readonly<Record<RungCodec, number>> = { h264: 1, hevc: 4 / 3, av1: 3 / 2 };
const SOUND_SCORE = 1;

/** Where there are several codecs, their bit rates say no longer which variant looks better; SCORE does (RFC 8216bis §4.4.6.2). */
function scoreOf({ media, codec }: MeasuredRung): number {
  return Math.max(SOUND_SCORE + 1, Math.round((ratesOf(media).average / 1000) * WORTH[codec]));
}

interface Group {
  readonly id: string;
  readonly rates: BitRates;
  readonly codecs: readonly string[];
}

/**
 * The multivariant playlist of what was measured: the variant of about 2000 kbit/s first, then by falling bit rate, sound alone last. Throws
 * OUTPUT_NOT_VERIFIED where something could not be measured.
 */
export function describeMultivariant(
  rungs: readonly MeasuredRung[],
  sounds: readonly MeasuredSound[],
  subtitles: readonly MeasuredSubtitles[],
): MultivariantPlaylist {
  const groups = describeGroups(sounds);
  const isMixed = new Set(rungs.map(({ codec }) => codec)).size > 1;
  const played = groups.filter(({ id }) => id !== "small");
  const texts = describeTexts(subtitles);
  const pictures = rungs.flatMap((rung) => {
    const score = isMixed ? { score: scoreOf(rung) } : {};
    const heard = played.length === 0 ? [undefined] : played;
    return heard.map((group) => ({ ...describeVariant(rung, texts, group), ...score }));
  });
  const ordered = orderVariants(pictures, rungs);
  const playlist: MultivariantPlaylist = {
    kind: "multivariant",
    hasIndependentSegments: true,
    renditions: describeRenditions(sounds, subtitles),
    variants: [
      ...ordered,
      ...soundVariant(sounds, groups).map((variant) => (isMixed ? { ...variant, score: SOUND_SCORE } : variant)),
    ],
    iFrameVariants: rungs.map(({ name, iFrames }) =>
      streamAttributes(iFrames, `${name}/${I_FRAMES_PLAYLIST}`, ratesOf(iFrames)),
    ),
    sessionData: [],
    sessionKeys: [],
  };
  return { ...playlist, version: Math.max(6, requiredVersion(playlist).version) };
}

function measured<T>(value: T | undefined, path: string): T {
  if (value !== undefined) return value;
  throw new ReelmillError("OUTPUT_NOT_VERIFIED", `${path} of the package could not be measured.`);
}

/** Of one picture that is held for long; players take 0 for no rate. */
const LEAST_RATE = 0.001;

function ratesOf(media: MeasuredPlaylist): BitRates {
  return measured(bitRatesOf(media), media.path);
}

/**
 * What is declared of all that plays together: the sum of its peaks (RFC 8216bis §4.4.6.2), and never less than that of its averages, as the peak
 * may be of a recording whose last segments are too short to count.
 */
function declareRates({ peak, average }: BitRates) {
  return {
    bandwidthBitsPerSecond: Math.ceil(Math.max(peak, average)),
    averageBandwidthBitsPerSecond: Math.ceil(average),
  };
}

/** What variant streams and I-frame streams have in common. */
function streamAttributes(media: MeasuredPlaylist, uri: string, rates: BitRates): StreamAttributes {
  const facts = measured(videoFacts(media), media.path);
  return {
    uri,
    ...declareRates(rates),
    codecs: [measured(facts.codec, media.path)],
    resolution: { widthPixels: facts.widthPixels, heightPixels: facts.heightPixels },
    videoRange: facts.range,
  };
}

/** A rung with what it is played with, each of which counts towards its bit rates. */
function describeVariant(
  { name, media }: MeasuredRung,
  texts: Group | undefined,
  sound: Group | undefined,
): VariantStream {
  const more = [texts, sound].filter((group) => group !== undefined);
  const rates = more.reduce((sum, group) => addRates(sum, group.rates), ratesOf(media));
  const attributes = streamAttributes(media, `${name}/${SEGMENTS_PLAYLIST}`, rates);
  return {
    ...attributes,
    codecs: [...(attributes.codecs ?? []), ...(sound?.codecs ?? [])],
    framesPerSecond: Math.max(LEAST_RATE, Number(largestRate(media).toFixed(3))),
    closedCaptionsGroupId: null,
    ...(texts === undefined ? {} : { subtitlesGroupId: texts.id }),
    ...(sound === undefined ? {} : { audioGroupId: sound.id }),
  };
}

/** The largest frame rate there is (RFC 8216bis §4.4.6.2). */
function largestRate(media: MeasuredPlaylist): number {
  const rate = frameRateOf(media);
  // Damage gives single pictures other times: a second of 60 has 61, which is no other rate.
  if (rate !== undefined) return Math.max(rate.average, Math.min(rate.largest, MAX_FRAMES_PER_SECOND));
  // A single picture in a transport stream, which tells no durations, lasts as long as its segment.
  const seconds = media.segments.length === 1 ? media.segments.at(0)?.segment.durationSeconds : undefined;
  return 1 / measured(seconds || undefined, media.path);
}

/** Their largest rendition counts, as that of sound does; CODECS do not name text. */
function describeTexts(subtitles: readonly MeasuredSubtitles[]): Group | undefined {
  if (subtitles.length === 0) return undefined;
  const rates = largestRates(subtitles.map(({ media }) => ratesOf(media)));
  return { id: SUBTITLES_GROUP, rates, codecs: [] };
}

/** Players that heed no SCORE begin with the first: one of H.264, where there is one, plays everywhere. */
function orderVariants(variants: readonly VariantStream[], rungs: readonly MeasuredRung[]): readonly VariantStream[] {
  const usual = rungs.some(({ codec }) => codec === "h264") ? "h264" : rungs[0]?.codec;
  const begun = new Set(rungs.filter(({ codec }) => codec === usual).map(({ name }) => `${name}/${SEGMENTS_PLAYLIST}`));
  const average = (variant: VariantStream): number => variant.averageBandwidthBitsPerSecond ?? 0;
  const distance = (variant: VariantStream): number => Math.abs(Math.log(average(variant) / DEFAULT_BITS_PER_SECOND));
  const falling = variants.toSorted((a, b) => average(b) - average(a));
  const plain = falling.filter(({ audioGroupId, uri }) => audioGroupId !== "surround" && begun.has(uri));
  const first = plain.reduce<VariantStream | undefined>(
    (best, one) => (best === undefined || distance(one) < distance(best) ? one : best),
    undefined,
  );
  return first === undefined ? falling : [first, ...falling.filter((variant) => variant !== first)];
}

/** In each group, the rate of its largest rendition counts (RFC 8216bis §4.4.6.2). */
function describeGroups(sounds: readonly MeasuredSound[]): readonly Group[] {
  const ids = [...new Set(sounds.map(({ plan }) => plan.groupId))];
  return ids.map((id) => {
    const members = membersOf(sounds, id);
    const rates = largestRates(members.map(({ media }) => ratesOf(media)));
    const codecs = members.flatMap(({ media }) => allFacts(media).map(({ codec }) => measured(codec, media.path)));
    return { id, rates, codecs: [...new Set(codecs)] };
  });
}

/** Sound alone, for connections that carry no pictures. */
function soundVariant(sounds: readonly MeasuredSound[], groups: readonly Group[]): readonly VariantStream[] {
  const group = groups.find(({ id }) => id === "small") ?? groups.find(({ id }) => id === "stereo");
  const members = group === undefined ? [] : membersOf(sounds, group.id);
  const own = members.find(({ plan }) => plan.isDefault);
  if (group === undefined || own === undefined) return [];
  // The rendition that plays is the variant's own; checkers add the largest of the others.
  const others = members.filter((sound) => sound !== own).map(({ media }) => ratesOf(media));
  const rates = addRates(ratesOf(own.media), largestRates(others));
  return [
    {
      uri: `${own.plan.name}/${SEGMENTS_PLAYLIST}`,
      ...declareRates(rates),
      codecs: group.codecs,
      audioGroupId: group.id,
      // Where one variant says that there are none, all do (RFC 8216bis §4.4.6.2).
      closedCaptionsGroupId: null,
    },
  ];
}
