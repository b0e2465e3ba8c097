import { ReelmillError } from "../../base/errors.ts";
import type { SampleEntry } from "../../media/isobmff/movie.ts";
import type { Family } from "../assign.ts";
import type { PacketParser } from "../codecs/packet-parser.ts";
import { createParser } from "../codecs/registry.ts";
import type { RecordingProfile } from "../learn/profile.ts";
import type { InterleaveTerms, SoundTerms } from "./interleave-clock.ts";
import type { LatticeModel } from "./lattice.ts";

/** The worst a transition can count: never seen in the reference. */
const UNSEEN_BITS = -6;

/** Where more pictures than this share last longer or shorter, their clock says nothing. */
const MAX_UNUSUAL_PICTURES = 0.02;

/** Logs keep a packet's family and track in a byte; tracks beyond are left out, which only hostile references have. */
const MAX_TRACKS = 256;

/** What a scan needs of a reference: one parser for each kind of packet, and which tracks share it. */
export interface ScanModel extends LatticeModel {
  /** How pictures and sound of open packets take turns, where that is regular. */
  readonly interleave: InterleaveTerms | undefined;
}

/** Parsers and priors for a profile. Tracks whose packets look alike share a parser. */
export function createScanModel(profile: RecordingProfile): ScanModel {
  const families: { key: string; tracks: number[] }[] = [];
  profile.tracks.forEach((track, index) => {
    if (track.track.samples.sampleCount === 0 || index >= MAX_TRACKS) return;
    const key = familyKey(track.kind, track.track.sampleEntries[0]);
    const known = track.kind === "audio" ? families.find((family) => family.key === key) : undefined;
    if (known) known.tracks.push(index);
    else families.push({ key, tracks: [index] });
  });
  const familyOf = new Map(families.flatMap((family, index) => family.tracks.map((track) => [track, index] as const)));
  const staying = families.map((family) => stayBits(profile, family.tracks));
  const bits = transitionTable(profile, familyOf, families.length);
  const parsers = families.map((family) => {
    const profiles = family.tracks.map((track) => profile.tracks[track]);
    const first = profiles[0];
    if (first === undefined) throw new ReelmillError("INTERNAL", "A family has no track.");
    return createParser(first, profiles.length);
  });
  return {
    families,
    parsers,
    padding: profile.interleave.padding,
    interleave: interleaveTerms(profile, families, parsers),
    transitionBits: (from, to) => (from === to ? (staying[to] ?? 0) : (bits[from + 1]?.[to] ?? UNSEEN_BITS)),
  };
}

/** Where nearly all pictures last equally long and there is sound whose packets do not tell their size. */
function interleaveTerms(
  profile: RecordingProfile,
  families: readonly Family[],
  parsers: readonly PacketParser[],
): InterleaveTerms | undefined {
  const first = profile.tracks.findIndex(({ kind }) => kind === "video");
  const video = families.findIndex(({ tracks }) => tracks.length === 1 && tracks[0] === first);
  const pictures = profile.tracks[first];
  const [usual, ...others] = pictures?.durations ?? [];
  if (video < 0 || pictures === undefined || usual === undefined || usual.value <= 0) return undefined;
  const unusual = others.reduce((sum, { count }) => sum + count, 0);
  if (unusual > MAX_UNUSUAL_PICTURES * usual.count) return undefined;
  const sounds = families.flatMap(({ tracks }, family): SoundTerms[] => {
    const [track = -1, ...more] = tracks;
    const sampleRateHz = profile.tracks[track]?.track.sampleEntries[0]?.audio?.sampleRateHz;
    const lag = profile.interleave.lags[track];
    const isOpen = parsers[family]?.findRun !== undefined && (parsers[family]?.usualRunBytes.length ?? 0) === 0;
    return isOpen && more.length === 0 && lag && sampleRateHz ? [{ family, sampleRateHz, lag }] : [];
  });
  if (sounds.length === 0) return undefined;
  return { video, pictureSeconds: usual.value / pictures.track.timescale, sounds };
}

/** Equal for entries whose packets a parser cannot tell apart. */
function familyKey(kind: string, entry: SampleEntry | undefined): string {
  if (entry === undefined) return kind;
  const config = [...entry.children]
    .filter(([type]) => type !== "btrt" && type !== "chan" && type !== "chnl")
    .map(([type, payload]) => (type === "esds" ? `esds:${configTail(payload)}` : `${type}:${payload.join()}`));
  return [kind, entry.format, entry.audio?.channelCount, entry.audio?.sampleRateHz, ...config].join("|");
}

/** An `esds` also states bit rates, which tell no packets apart: the decoder's own part starts at tag 5. */
function configTail(payload: Uint8Array): string {
  const at = payload.indexOf(0x05, 20);
  return payload.subarray(Math.max(0, at)).join();
}

/** How usual it is that a packet follows one of its own kind, where the reference's runs are mostly of one packet. */
function stayBits(profile: RecordingProfile, tracks: readonly number[]): number {
  let [runs, packets] = [0, 0];
  for (const track of tracks) {
    for (const share of profile.tracks[track]?.runSamples ?? []) {
      runs += share.count;
      packets += share.count * share.value;
    }
  }
  if (tracks.length > 1 || packets > runs * 1.2) return 0;
  return Math.max(UNSEEN_BITS, Math.log2((packets - runs + 0.5) / (packets + 1)));
}

function transitionTable(profile: RecordingProfile, familyOf: ReadonlyMap<number, number>, count: number): number[][] {
  const seen = Array.from({ length: count + 1 }, () => new Array<number>(count).fill(0));
  profile.interleave.transitions.forEach((row, from) => {
    const fromFamily = from === 0 ? -1 : (familyOf.get(from - 1) ?? -1);
    row.forEach((times, to) => {
      const toFamily = familyOf.get(to);
      const target = seen[fromFamily + 1];
      if (toFamily === undefined || target === undefined) return;
      target[toFamily] = (target[toFamily] ?? 0) + times;
    });
  });
  return seen.map((row) => {
    const total = row.reduce((sum, times) => sum + times, 0);
    return row.map((times) => (times > 0 ? Math.max(UNSEEN_BITS / 2, Math.log2(times / total)) : UNSEEN_BITS));
  });
}
