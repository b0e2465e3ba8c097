import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { SegmentContent, TrackFacts } from "../../media/hls/check/measure.ts";
import { playlistOf } from "../../media/hls/check/playlist-of.fixture.ts";
import type { MeasuredPlaylist, Presentation } from "../../media/hls/check/presentation.ts";
import { Verdict } from "../../media/hls/check/rule.ts";
import { BANDWIDTH_RULES } from "../../media/hls/check/rules/bandwidth-rules.ts";
import type { MultivariantPlaylist, StreamAttributes } from "../../media/hls/playlist.ts";
import { describeMultivariant, type MeasuredRung } from "./multivariant.ts";
import type { MeasuredSound, MeasuredSubtitles } from "./renditions.ts";

const TARGET_SECONDS = 6;
/** What the writer has to keep whatever the bytes are; how many bits a recording needs is not its choice. */
const RATE_RULES = ["bandwidth-covers-peak", "bandwidth-within-10-percent", "average-bandwidth"];

interface Recording {
  readonly seconds: number;
  /** Of a sound frame; zero: sound ends with the pictures, to the tick. */
  readonly frameSeconds: number;
  /** Bytes per second of one segment after the other, anew from the first where there are more segments. */
  readonly pictures: readonly number[];
  readonly iFrames: readonly number[];
  readonly sounds: readonly (readonly number[])[];
  readonly texts: readonly (readonly number[])[];
}

const VIDEO: TrackFacts = {
  ...{ kind: "video", codec: "avc1.4d401e", isInterlaced: false, range: "SDR" },
  ...{ widthPixels: 320, heightPixels: 180 },
};
const AUDIO: TrackFacts = { kind: "audio", codec: "mp4a.40.2", channelCount: 2 };

/** Where a stream is cut and ends: at every so many seconds, sound with a frame. */
function cutsOf(seconds: number, stepSeconds: number, frameSeconds: number): readonly number[] {
  const toFrame = (at: number): number => (frameSeconds === 0 ? at : Math.ceil(at / frameSeconds) * frameSeconds);
  const inner: number[] = [];
  for (let at = stepSeconds; at < seconds - 0.01; at += stepSeconds) inner.push(toFrame(at));
  return [0, ...inner.filter((at) => at < seconds), toFrame(seconds)];
}

function mediaOf(path: string, facts: TrackFacts, cuts: readonly number[], rates: readonly number[]): MeasuredPlaylist {
  const segments = cuts.slice(1).map((end, index) => {
    const start = cuts[index] as number;
    const seconds = Number((end - start).toFixed(6));
    const bytes = Math.round((rates[index % rates.length] as number) * seconds);
    return [seconds, bytes, contentOf(facts, start, end)] as const;
  });
  return playlistOf(TARGET_SECONDS, segments, path);
}

function contentOf(facts: TrackFacts, start: number, end: number): SegmentContent {
  const times = { startSeconds: start, endSeconds: end, decodeStartSeconds: start, decodeEndSeconds: end };
  const frames = {
    sampleCount: 1,
    minFrameSeconds: 0,
    maxFrameSeconds: end - start,
    lastFrameSeconds: end - start,
    maxFramesInSecond: 0,
    keyFrameSeconds: [start],
  };
  const spans = facts.kind === "text" ? [] : [{ kind: facts.kind, ...times, ...frames, startFault: undefined }];
  return { container: "fmp4", tracks: [facts], spans, continuityFaults: [] };
}

/** The presentation as it is written, and as a checker sees it. */
function write({ seconds, frameSeconds, pictures, iFrames, sounds, texts }: Recording) {
  const even = cutsOf(seconds, TARGET_SECONDS, 0);
  const rung: MeasuredRung = {
    ...{ name: "rung", codec: "h264" },
    media: mediaOf("rung/index.m3u8", VIDEO, even, pictures),
    iFrames: mediaOf("rung/iframes.m3u8", VIDEO, cutsOf(seconds, 2, 0), iFrames),
  };
  const heard = sounds.map((rates, streamIndex): MeasuredSound => {
    const name = `sound-${streamIndex}`;
    const media = mediaOf(`${name}/index.m3u8`, AUDIO, cutsOf(seconds, TARGET_SECONDS, frameSeconds), rates);
    const about = { channels: 2, isMono: false, unmixedChannels: null, kilobitsPerSecond: 128, language: "en" };
    const isDefault = streamIndex === 0;
    const plan = { name, groupId: "stereo", streamIndex, position: streamIndex, label: name, isDefault, ...about };
    return { plan, media };
  });
  const read = texts.map((rates, streamIndex): MeasuredSubtitles => {
    const name = `text-${streamIndex}`;
    const media = mediaOf(`${name}/index.m3u8`, { kind: "text", codec: undefined }, even, rates);
    return { plan: { name, streamIndex, language: "en", label: name, isForced: false }, media };
  });
  const playlists = [rung.media, rung.iFrames, ...[...heard, ...read].map(({ media }) => media)];
  return { main: describeMultivariant([rung], heard, read), playlists };
}

type Change = (stream: StreamAttributes) => Partial<StreamAttributes>;

function failedRules(main: MultivariantPlaylist, playlists: readonly MeasuredPlaylist[], change: Change = () => ({})) {
  const mediaAt = (uri: string | undefined) => playlists.find(({ path }) => path === uri);
  const presentation: Presentation = {
    ...{ multivariant: main, rootPath: "main.m3u8", playlists, faults: [] },
    variants: main.variants.map((one) => ({ variant: { ...one, ...change(one) }, media: mediaAt(one.uri) })),
    iFrames: main.iFrameVariants.map((one) => ({ variant: { ...one, ...change(one) }, media: mediaAt(one.uri) })),
    renditions: main.renditions.map((rendition) => ({ rendition, media: mediaAt(rendition.uri) })),
  };
  return BANDWIDTH_RULES.filter(({ id }) => RATE_RULES.includes(id)).flatMap((rule) => {
    const verdict = new Verdict();
    rule.check(presentation, verdict);
    const { outcome, findings } = verdict.finish(rule);
    return outcome === "passed" ? [] : [`${rule.id}: ${findings.map(({ message }) => message).join(" ")}`];
  });
}

/** RFC 8216bis §4.1, word by word: of all runs of segments that last between half and one and a half target durations. */
function peakByTheLetter({ segments }: MeasuredPlaylist): number {
  const all = [...segments];
  const runs = all.flatMap((_, first) => all.slice(first).map((_, more) => all.slice(first, first + more + 1)));
  const rates = runs.map((run) => {
    const seconds = run.reduce((sum, { segment }) => sum + segment.durationSeconds, 0);
    const bits = run.reduce((sum, { sizeBytes = 0 }) => sum + 8 * sizeBytes, 0);
    return seconds >= TARGET_SECONDS / 2 && seconds <= 1.5 * TARGET_SECONDS ? bits / seconds : 0;
  });
  return Math.max(...rates);
}

function needOf(playlists: readonly MeasuredPlaylist[], uri: string): number {
  const largest = (kind: string): number =>
    Math.max(0, ...playlists.filter(({ path }) => path.startsWith(kind) && path !== uri).map(peakByTheLetter));
  const own = playlists.filter(({ path }) => path === uri).map(peakByTheLetter);
  if (uri.endsWith("iframes.m3u8")) return own[0] as number;
  return (own[0] as number) + largest("sound") + (uri.startsWith("sound") ? 0 : largest("text"));
}

// Bytes per second, from silence on.
const rates = (max: number) =>
  fc.array(fc.oneof(fc.constant(250), fc.integer({ min: 1, max })), { minLength: 1, maxLength: 5 });

const recordings: fc.Arbitrary<Recording> = fc.record({
  seconds: fc.oneof(
    fc.integer({ min: 10, max: 4000 }).map((hundredths) => hundredths / 100),
    // Where the last segment lasts for about half the target duration.
    fc.tuple(fc.integer({ min: 0, max: 5 }), fc.integer({ min: -12, max: 12 })).map(([n, d]) => 6 * n + 3 + d / 100),
  ),
  frameSeconds: fc.constantFrom(0, 1024 / 48_000, 1024 / 44_100, 0.02),
  pictures: rates(1_000_000),
  iFrames: rates(100_000),
  sounds: fc.array(rates(20_000), { maxLength: 3 }),
  texts: fc.array(rates(200), { maxLength: 2 }),
});

describe("the bit rates of a multivariant playlist", () => {
  it("keep the rules where the sound of 9 s begins with 3 s of silence", () => {
    const { main, playlists } = write({
      ...{ seconds: 9, frameSeconds: 1024 / 44_100, pictures: [12_000, 6000], iFrames: [2000] },
      ...{ sounds: [[5000, 9000]], texts: [] },
    });
    expect(failedRules(main, playlists)).toEqual([]);
    const [pictures, sound] = main.variants;
    // By the letter the sum of the peaks, which the second segment of the sound is in no part of.
    expect(pictures?.bandwidthBitsPerSecond).toBeCloseTo(8 * 17_000, -2);
    expect(sound?.bandwidthBitsPerSecond).toBe(sound?.averageBandwidthBitsPerSecond);
    expect(sound?.bandwidthBitsPerSecond).toBeGreaterThan(8 * 6000);
  });

  it("are no less than any peak by the letter, and what the checker measures, at all lengths and silences", () => {
    const hasRun = (media: MeasuredPlaylist): boolean => peakByTheLetter(media) > 0;
    fc.assert(
      fc.property(recordings, (recording) => {
        const { main, playlists } = write(recording);
        expect(failedRules(main, playlists)).toEqual([]);
        for (const { uri, bandwidthBitsPerSecond: peak, averageBandwidthBitsPerSecond: average = 0 } of [
          ...main.variants,
          ...main.iFrameVariants,
        ]) {
          expect(peak).toBeGreaterThanOrEqual(average);
          const need = needOf(playlists, uri);
          expect(peak + 1e-6).toBeGreaterThanOrEqual(need);
          // Nor more than they need.
          if (playlists.every(hasRun)) expect(peak).toBeLessThanOrEqual(Math.ceil(Math.max(need, average)) + 1);
        }
      }),
      { numRuns: 500 },
    );
  });

  it("are refused where they are a fifth too high, or a twentieth below the peak", () => {
    fc.assert(
      fc.property(recordings, (recording) => {
        const { main, playlists } = write(recording);
        const above = failedRules(main, playlists, ({ bandwidthBitsPerSecond: declared }) => ({
          bandwidthBitsPerSecond: Math.ceil(1.2 * declared) + 2,
        }));
        expect(above.join()).toContain("bandwidth-within-10-percent");
        const below = failedRules(main, playlists, ({ uri }) => ({
          bandwidthBitsPerSecond: Math.floor(0.95 * needOf(playlists, uri)) - 2,
        }));
        expect(below.join()).toContain("bandwidth-covers-peak");
      }),
      { numRuns: 200 },
    );
  });
});
