import type { SampleEntry } from "../../media/isobmff/movie.ts";
import { createCammProbe } from "../../media/metadata/camm-probe.ts";
import { createFdscProbe, learnFdscSizes } from "../../media/metadata/fdsc-probe.ts";
import { createGpmfProbe } from "../../media/metadata/gpmf-probe.ts";
import { createLearnedProbe, learnSamples } from "../../media/metadata/learned-probe.ts";
import { createMebxProbe, learnMebxPattern, parseMebxKeys } from "../../media/metadata/mebx-probe.ts";
import { createRtmdProbe } from "../../media/metadata/rtmd-probe.ts";
import { createTextProbe } from "../../media/metadata/text-probe.ts";
import { createTimecodeProbe, parseTimecodeEntry } from "../../media/metadata/timecode-probe.ts";
import type { TrackProfile } from "../learn/profile.ts";
import { CUT, type PacketParser } from "./packet-parser.ts";
import { createProbeParser, type ProbeBytes } from "./probe-parser.ts";

const LEARNT_SAMPLES = 512;
const FIRST_LOOK_BYTES = 1024;
const MAX_PACKET_BYTES = 4 * 1024 * 1024;
/** A learnt pattern weaker than this says nothing by itself. */
const MIN_PATTERN_BITS = 8;
/** What speaks against another sample of a track whose reference holds one. */
const AGAIN_BITS = 12;

/** Parsers of timed metadata. Undefined for what neither a specification nor the reference's samples explain. */
export function metadataParser(entry: SampleEntry, profile: TrackProfile): PacketParser | undefined {
  const samples = (): Iterable<Uint8Array> => profile.readSamples(LEARNT_SAMPLES);
  const isConstant = profile.minSizeBytes === profile.maxSizeBytes;
  switch (entry.format) {
    case "mebx": {
      const keys = entry.children.get("keys");
      const ids = keys ? parseMebxKeys(keys).map((key) => key.localId) : [];
      return ids.length > 0 ? parser(profile, createMebxProbe(ids, learnMebxPattern(samples()))) : undefined;
    }
    case "gpmd":
      return parser(profile, createGpmfProbe());
    case "fdsc":
      return parser(profile, createFdscProbe(learnFdscSizes(samples())));
    case "camm":
      return parser(profile, createCammProbe());
    case "rtmd":
      return parser(profile, createRtmdProbe(isConstant ? profile.maxSizeBytes : undefined));
    case "tx3g":
    case "text":
      return parser(profile, createTextProbe());
    case "tmcd":
      return parser(profile, createTimecodeProbe(parseTimecodeEntry(entry), profile.maxSizeBytes === 8 ? 8 : 4));
    default:
      return learnedParser(profile, samples());
  }
}

function learnedParser(profile: TrackProfile, samples: Iterable<Uint8Array>): PacketParser | undefined {
  const stats = learnSamples(samples);
  const probe = createLearnedProbe(stats);
  const answer = probe.probe(stats.leadBytes, 0, stats.leadBytes.length);
  if (answer.kind !== "packet" || answer.evidenceBits < MIN_PATTERN_BITS) return undefined;
  const made = createProbeParser(
    SETUP,
    (bytes, startIndex, endIndex) => probe.probe(bytes, startIndex, endIndex),
    ({ changedBits }) => changedBits,
  );
  let isChanged = false;
  return onlyOnce(profile, {
    ...made,
    ...(stats.minSizeBytes === stats.maxSizeBytes ? { onlySizeBytes: stats.maxSizeBytes } : {}),
    get dependsOnPast() {
      return isChanged;
    },
    take({ detail }) {
      isChanged = detail instanceof Uint8Array;
      if (detail instanceof Uint8Array) probe.learn(detail);
    },
  });
}

const SETUP = { firstLookBytes: FIRST_LOOK_BYTES, maxPacketBytes: MAX_PACKET_BYTES };

function parser(profile: TrackProfile, probe: { probe: ProbeBytes }): PacketParser {
  const made = createProbeParser(SETUP, (bytes, startIndex, endIndex) => probe.probe(bytes, startIndex, endIndex));
  return onlyOnce(profile, made);
}

/**
 * A track whose reference holds one sample (timecode) is not looked for again once that sample is found, but for samples
 * that show far more than chance.
 */
function onlyOnce(profile: TrackProfile, made: PacketParser): PacketParser {
  if (profile.track.samples.sampleCount > 1) return made;
  let malusBits = 0;
  return {
    ...made,
    isSingle: true,
    probe(window, offset, limit) {
      const candidate = made.probe(window, offset, limit);
      if (candidate === undefined || candidate === CUT || malusBits === 0) return candidate;
      const evidenceBits = candidate.evidenceBits - malusBits;
      return evidenceBits > 0 ? { ...candidate, evidenceBits } : undefined;
    },
    startEvidenceBits: (window, offset) => Math.max(0, made.startEvidenceBits(window, offset) - malusBits),
    take(candidate) {
      made.take(candidate);
      malusBits = AGAIN_BITS;
    },
  };
}
