import { createAacProbe } from "../../src/media/aac/aac-probe.ts";
import { parseAudioSpecificConfig } from "../../src/media/aac/audio-specific-config.ts";
import { parseElementaryStreamDescriptor } from "../../src/media/aac/elementary-stream-descriptor.ts";
import { createAc3Probe } from "../../src/media/ac3/ac3-probe.ts";
import { createEac3Probe } from "../../src/media/ac3/eac3-probe.ts";
import { parseAlacConfig } from "../../src/media/alac/alac-config.ts";
import { createAlacProbe } from "../../src/media/alac/alac-probe.ts";
import { createAv1Probe } from "../../src/media/av1/probe.ts";
import { createMemorySource } from "../../src/media/bytes/byte-source.ts";
import { ByteWindow } from "../../src/media/bytes/byte-window.ts";
import type { PacketProbe } from "../../src/media/bytes/packet-probe.ts";
import { createDnxhdProbe } from "../../src/media/dnxhd/dnxhd-probe.ts";
import { parseFlacConfig } from "../../src/media/flac/flac-config.ts";
import { createFlacProbe } from "../../src/media/flac/flac-probe.ts";
import { parseAvcConfiguration } from "../../src/media/h264/avc-configuration.ts";
import { AvcParameterSets } from "../../src/media/h264/parameter-sets.ts";
import { probeAvcSample } from "../../src/media/h264/sample-probe.ts";
import { parseHevcConfiguration } from "../../src/media/hevc/hevc-configuration.ts";
import { HevcParameterSets } from "../../src/media/hevc/parameter-sets.ts";
import { probeHevcSample } from "../../src/media/hevc/sample-probe.ts";
import type { SampleEntry } from "../../src/media/isobmff/movie.ts";
import { readMovie } from "../../src/media/isobmff/read-movie.ts";
import { scanTopLevelBoxes } from "../../src/media/isobmff/top-level.ts";
import { createCammProbe } from "../../src/media/metadata/camm-probe.ts";
import { createFdscProbe } from "../../src/media/metadata/fdsc-probe.ts";
import { createGpmfProbe } from "../../src/media/metadata/gpmf-probe.ts";
import { createMebxProbe, parseMebxKeys } from "../../src/media/metadata/mebx-probe.ts";
import { createRtmdProbe } from "../../src/media/metadata/rtmd-probe.ts";
import { createTextProbe } from "../../src/media/metadata/text-probe.ts";
import { createTimecodeProbe } from "../../src/media/metadata/timecode-probe.ts";
import { createMjpegProbe } from "../../src/media/mjpeg/mjpeg-probe.ts";
import { createMp3Probe } from "../../src/media/mp3/mp3-probe.ts";
import { createProresProbe } from "../../src/media/prores/prores-probe.ts";
import { type FuzzInput, isAllowedError } from "./fuzz-input.ts";

/** Asks a codec about one place and returns the size that it answers, 0 for none. */
type AskAt = (bytes: Uint8Array, startIndex: number, endIndex: number) => number;

/** Places asked at without a packet before them, spread over the input. */
const SCATTERED_PLACES = 48;
const MAX_CHAINED_PACKETS = 400;

/**
 * Runs every codec's probe over a mutant, with the configuration of the healthy recording and with that of the mutant
 * itself. Probes answer, they never throw; parsing a configuration may.
 */
export function runProbes({ bytes, reference }: FuzzInput): void {
  const askers = [...plainAskers(), ...configuredAskers(reference, bytes), ...configuredAskers(bytes, bytes)];
  const step = Math.max(1, Math.floor(bytes.length / SCATTERED_PLACES));
  for (const ask of askers) {
    for (let start = 0; start < bytes.length; start += step) chain(ask, bytes, start);
  }
}

/** Follows packets from a place on for as long as the codec answers with a size. */
function chain(ask: AskAt, bytes: Uint8Array, start: number): void {
  let index = start;
  for (let packets = 0; packets < MAX_CHAINED_PACKETS && index < bytes.length; packets++) {
    const sizeBytes = ask(bytes, index, bytes.length);
    if (sizeBytes <= 0) return;
    index += sizeBytes;
  }
}

function fromProbe(probe: (bytes: Uint8Array, startIndex: number, endIndex: number) => PacketProbe): AskAt {
  return (bytes, startIndex, endIndex) => {
    const answer = probe(bytes, startIndex, endIndex);
    if (answer.kind === "more" && !(answer.neededBytes > 0))
      throw new Error(`More than ${answer.neededBytes} bytes wanted.`);
    if (answer.kind === "open" && !(answer.minSizeBytes <= answer.maxSizeBytes))
      throw new Error("An open packet's bounds cross.");
    if (answer.kind !== "packet") return 0;
    if (!Number.isSafeInteger(answer.sizeBytes) || answer.sizeBytes < 1)
      throw new Error(`A packet of ${answer.sizeBytes} bytes.`);
    if (!(answer.evidenceBits >= 0)) throw new Error(`Evidence of ${answer.evidenceBits} bits.`);
    return answer.sizeBytes;
  };
}

function plainAskers(): AskAt[] {
  const probes = [
    ...[createAc3Probe(), createEac3Probe(), createMp3Probe(), createMjpegProbe()],
    ...[createDnxhdProbe(), createProresProbe(), createCammProbe(), createFdscProbe(), createGpmfProbe()],
    ...[createRtmdProbe(), createTextProbe(), createTimecodeProbe(), createMebxProbe([1, 2])],
  ];
  return probes.map(({ probe }) => fromProbe(probe));
}

/** Probes for each sample entry of a recording, over `bytes`. */
function configuredAskers(recording: Uint8Array, bytes: Uint8Array): AskAt[] {
  const source = createMemorySource(recording);
  return scanTopLevelBoxes(source)
    .filter((box) => box.type === "moov")
    .flatMap((box) => allowed(() => readMovie(source, box).tracks) ?? [])
    .flatMap((track) => track.sampleEntries)
    .flatMap((entry) => allowed(() => askersOf(entry, bytes)) ?? []);
}

function askersOf(entry: SampleEntry, bytes: Uint8Array): AskAt[] {
  const window = new ByteWindow(createMemorySource(bytes));
  const child = (type: string) => entry.children.get(type);
  const askers: AskAt[] = [];
  const avcC = child("avcC");
  if (avcC !== undefined) {
    const sets = new AvcParameterSets(parseAvcConfiguration(avcC));
    askers.push((_, startIndex) => sizeOf(probeAvcSample(window, startIndex, sets)));
  }
  const hvcC = child("hvcC");
  if (hvcC !== undefined) {
    const sets = new HevcParameterSets(parseHevcConfiguration(hvcC));
    askers.push((_, startIndex) => sizeOf(probeHevcSample(window, startIndex, sets)));
  }
  const av1C = child("av1C");
  if (av1C !== undefined) {
    const probe = createAv1Probe(av1C);
    askers.push((_, startIndex) => sizeOf(probe.probeSample(window, startIndex, probe.initialState)));
    askers.push(fromProbe(probe.probeStart));
  }
  const esds = child("esds");
  const config = esds && parseElementaryStreamDescriptor(esds)?.decoderSpecificInfo;
  if (config !== undefined) askers.push(fromProbe(createAacProbe(parseAudioSpecificConfig(config)).probe));
  const alac = child("alac");
  if (alac !== undefined) askers.push(fromProbe(createAlacProbe(parseAlacConfig(alac)).probe));
  const dfLa = child("dfLa");
  if (dfLa !== undefined) askers.push(fromProbe(createFlacProbe(parseFlacConfig(dfLa)).probe));
  const keys = child("keys");
  if (keys !== undefined) askers.push(fromProbe(createMebxProbe(parseMebxKeys(keys).map((key) => key.localId)).probe));
  return askers;
}

function sizeOf(answer: { readonly kind: string; readonly sizeBytes?: number }): number {
  if (answer.kind !== "sample") return 0;
  const sizeBytes = answer.sizeBytes ?? 0;
  if (!Number.isSafeInteger(sizeBytes) || sizeBytes < 1) throw new Error(`A sample of ${sizeBytes} bytes.`);
  return sizeBytes;
}

/** What a parser of hostile bytes answers, or undefined where it refuses them. */
function allowed<T>(parse: () => T): T | undefined {
  try {
    return parse();
  } catch (error) {
    if (isAllowedError(error)) return undefined;
    throw error;
  }
}
