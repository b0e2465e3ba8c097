import { parseAudioSpecificConfig } from "../../media/aac/audio-specific-config.ts";
import { parseElementaryStreamDescriptor } from "../../media/aac/elementary-stream-descriptor.ts";
import { createAc3Probe } from "../../media/ac3/ac3-probe.ts";
import { createEac3Probe } from "../../media/ac3/eac3-probe.ts";
import { parseDac3, parseDec3 } from "../../media/ac3/specific-boxes.ts";
import { parseAlacConfig } from "../../media/alac/alac-config.ts";
import { createAlacProbe } from "../../media/alac/alac-probe.ts";
import { createDnxhdProbe } from "../../media/dnxhd/dnxhd-probe.ts";
import { parseFlacConfig } from "../../media/flac/flac-config.ts";
import { createFlacProbe } from "../../media/flac/flac-probe.ts";
import { parseAvcConfiguration } from "../../media/h264/avc-configuration.ts";
import { parseHevcConfiguration } from "../../media/hevc/hevc-configuration.ts";
import type { SampleEntry } from "../../media/isobmff/movie.ts";
import { createMjpegProbe, learnMjpegConstraints } from "../../media/mjpeg/mjpeg-probe.ts";
import { createMp3Probe } from "../../media/mp3/mp3-probe.ts";
import { isExactOn } from "../../media/mpeg4-visual/mpeg4-visual-probe.ts";
import { parseVolConfig } from "../../media/mpeg4-visual/vol-config.ts";
import { pcmLayout } from "../../media/pcm/pcm-layout.ts";
import { createProresProbe } from "../../media/prores/prores-probe.ts";
import type { TrackProfile } from "../learn/profile.ts";
import { createAacParser } from "./aac-parser.ts";
import { createAv1Parser } from "./av1-parser.ts";
import { metadataParser } from "./metadata-parsers.ts";
import { createMpeg4Parser } from "./mpeg4-parser.ts";
import { createAvcParser, createHevcParser } from "./nal-parser.ts";
import { createOpaqueParser } from "./opaque-parser.ts";
import { createOpusParser } from "./opus-parser.ts";
import type { PacketParser } from "./packet-parser.ts";
import { createPcmParser } from "./pcm-parser.ts";
import { createProbeParser, type ProbeBytes, type ProbeSetup } from "./probe-parser.ts";
import { createVp9Parser } from "./vp9-parser.ts";

/** Samples of a reference on which a parser must prove itself, and from which a model is learnt. */
const TRIED_SAMPLES = 64;
const LEARNT_SAMPLES = 1024;
/** A JPEG whose data hold a long run of zeros shows less: the picture's end is not its own. */
const HOLED_JPEG_BITS = 16;
const KIB = 1024;
const MIB = 1024 * KIB;

/**
 * Parsers by what a reference's sample entry says; codecs without one are bounded by their neighbours. `trackCount` tracks
 * have such packets.
 */
export function createParser(profile: TrackProfile, trackCount = 1): PacketParser {
  const entry = profile.track.sampleEntries[0];
  if (entry === undefined) return createOpaqueParser(profile);
  return (
    (profile.kind === "video" ? videoParser(entry, profile) : undefined) ??
    (profile.kind === "audio" ? audioParser(entry, profile, trackCount) : undefined) ??
    (profile.kind === "other" ? metadataParser(entry, profile) : undefined) ??
    createOpaqueParser(profile)
  );
}

function videoParser(entry: SampleEntry, profile: TrackProfile): PacketParser | undefined {
  const avcC = entry.children.get("avcC");
  if (avcC) {
    const isDolby = entry.children.has("dvcC") || entry.children.has("dvvC") || entry.format.startsWith("dva");
    return createAvcParser(parseAvcConfiguration(avcC), isDolby);
  }
  const hvcC = entry.children.get("hvcC");
  if (hvcC) return createHevcParser(parseHevcConfiguration(hvcC));
  const av1C = entry.children.get("av1C");
  if (av1C) return createAv1Parser(av1C, firstOf(profile.readSamples(1)));
  const vpcC = entry.children.get("vpcC");
  if (vpcC && entry.format === "vp09")
    return createVp9Parser(vpcC, profile.readSamples(LEARNT_SAMPLES), profile.maxSizeBytes);
  const size = entry.visual ? { widthPixels: entry.visual.widthPixels, heightPixels: entry.visual.heightPixels } : {};
  switch (entry.format) {
    case "apch":
    case "apcn":
    case "apcs":
    case "apco":
    case "ap4h":
    case "ap4x":
      return simple({ firstLookBytes: 256, maxPacketBytes: 64 * MIB }, createProresProbe(size));
    case "AVdn":
    case "AVdh":
      return simple({ firstLookBytes: KIB, maxPacketBytes: 64 * MIB }, createDnxhdProbe(dnxhdConstraints(profile)));
    case "jpeg":
    case "mjpa":
    case "dmb1":
    case "AVDJ":
      return mjpegParser(profile);
    case "mp4v":
      return mpeg4Parser(entry, profile);
    default:
      return undefined;
  }
}

function firstOf<T>(items: Iterable<T>): T | undefined {
  for (const item of items) return item;
  return undefined;
}

/** `mp4v` covers MPEG-4 part 2 and, by its object type, JPEG (ISO/IEC 14496-1 §7.2.6.6). */
function mpeg4Parser(entry: SampleEntry, profile: TrackProfile): PacketParser | undefined {
  const esds = entry.children.get("esds");
  const info = esds && parseElementaryStreamDescriptor(esds);
  if (info?.objectTypeIndication === 0x6c) return mjpegParser(profile);
  const config = info?.decoderSpecificInfo && parseVolConfig(info.decoderSpecificInfo);
  if (!isExactOn(config, profile.readSamples(TRIED_SAMPLES))) return undefined;
  return createMpeg4Parser({ firstLookBytes: 16 * KIB, maxPacketBytes: 16 * MIB }, config);
}

function dnxhdConstraints(profile: TrackProfile): { packetSizeBytes?: number } {
  return profile.minSizeBytes === profile.maxSizeBytes ? { packetSizeBytes: profile.maxSizeBytes } : {};
}

function mjpegParser(profile: TrackProfile): PacketParser {
  const probe = createMjpegProbe(learnMjpegConstraints(profile.readSamples(TRIED_SAMPLES)));
  const setup = {
    firstLookBytes: 64 * KIB,
    maxPacketBytes: 64 * MIB,
    minEvidenceBits: HOLED_JPEG_BITS,
  };
  return simple(setup, probe);
}

function audioParser(entry: SampleEntry, profile: TrackProfile, trackCount: number): PacketParser | undefined {
  const layout = pcmLayout(entry);
  const frameBytes = profile.track.samples.constantSizeBytes;
  if (layout && frameBytes > 0) return createPcmParser(layout, frameBytes, profile.runSamples, trackCount);
  const rate = entry.audio?.sampleRateHz;
  switch (entry.format) {
    case "mp4a":
      return mp4aParser(entry);
    case ".mp3":
    case "ms\0U":
      return mp3Parser(rate);
    case "ac-3": {
      const dac3 = entry.children.get("dac3");
      return simple({ firstLookBytes: 4 * KIB, maxPacketBytes: 8 * KIB }, createAc3Probe(dac3 && parseDac3(dac3)));
    }
    case "ec-3": {
      const dec3 = entry.children.get("dec3");
      return simple({ firstLookBytes: 8 * KIB, maxPacketBytes: 128 * KIB }, createEac3Probe(dec3 && parseDec3(dec3)));
    }
    case "fLaC": {
      const dfLa = entry.children.get("dfLa");
      return dfLa && simple({ firstLookBytes: 16 * KIB, maxPacketBytes: MIB }, createFlacProbe(parseFlacConfig(dfLa)));
    }
    case "alac": {
      const cookie = entry.children.get("alac");
      return (
        cookie && simple({ firstLookBytes: 16 * KIB, maxPacketBytes: MIB }, createAlacProbe(parseAlacConfig(cookie)))
      );
    }
    case "Opus":
      return createOpusParser(
        profile.readSamples(LEARNT_SAMPLES),
        largestRunBytes(profile),
        opusStreamCount(entry.children.get("dOps")),
      );
    default:
      return undefined;
  }
}

const MAX_OPUS_STREAMS = 8;

/** Elementary streams in each packet, by the `dOps` box (Encapsulation of Opus in ISO Base Media File Format §4.3.2). */
function opusStreamCount(dOps: Uint8Array | undefined): number {
  const [mappingFamily = 0, streamCount = 1] = dOps?.subarray(10) ?? [];
  return mappingFamily === 0 ? 1 : Math.max(1, Math.min(MAX_OPUS_STREAMS, streamCount));
}

/** More bytes than any run of the reference has. */
function largestRunBytes(profile: TrackProfile): number {
  return profile.maxSizeBytes * Math.max(1, ...profile.runSamples.map((share) => share.value));
}

/** `mp4a` covers AAC and, by its object type, MPEG-1 and MPEG-2 audio (ISO/IEC 14496-1 §7.2.6.6). */
function mp4aParser(entry: SampleEntry): PacketParser | undefined {
  const esds = entry.children.get("esds");
  const info = esds && parseElementaryStreamDescriptor(esds);
  if (info?.objectTypeIndication === 0x69 || info?.objectTypeIndication === 0x6b)
    return mp3Parser(entry.audio?.sampleRateHz);
  if (!info?.decoderSpecificInfo) return undefined;
  return createAacParser(parseAudioSpecificConfig(info.decoderSpecificInfo));
}

function mp3Parser(sampleRateHz: number | undefined): PacketParser {
  const constraints = sampleRateHz ? { sampleRateHz } : {};
  return simple({ firstLookBytes: 2 * KIB, maxPacketBytes: 16 * KIB }, createMp3Probe(constraints));
}

function simple(setup: ProbeSetup, probe: { probe: ProbeBytes }): PacketParser {
  return createProbeParser(setup, (bytes, startIndex, endIndex) => probe.probe(bytes, startIndex, endIndex));
}
