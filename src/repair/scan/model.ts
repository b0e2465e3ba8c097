import { ReelmillError } from "../../base/errors.ts";
import type { SampleEntry } from "../../media/isobmff/movie.ts";
import type { Family } from "../assign.ts";
import { createParser } from "../codecs/registry.ts";
import type { RecordingProfile } from "../learn/profile.ts";
import type { LatticeModel } from "./lattice.ts";

/** The worst a transition can count: never seen in the reference. */
const UNSEEN_BITS = -6;

/** Logs keep a packet's family and track in a byte; tracks beyond are left out, which only hostile references have. */
const MAX_TRACKS = 256;

/** What a scan needs of a reference: one parser for each kind of packet, and which tracks share it. */
export interface ScanModel extends LatticeModel {
  readonly families: readonly Family[];
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
  return {
    families,
    parsers: families.map((family) => {
      const profiles = family.tracks.map((track) => profile.tracks[track]);
      const first = profiles[0];
      if (first === undefined) throw new ReelmillError("INTERNAL", "A family has no track.");
      return createParser(first, profiles.length);
    }),
    transitionBits: (from, to) => (from === to ? (staying[to] ?? 0) : (bits[from + 1]?.[to] ?? UNSEEN_BITS)),
  };
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
