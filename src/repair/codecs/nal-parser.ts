import type { ByteWindow } from "../../media/bytes/byte-window.ts";
import type { AvcConfiguration } from "../../media/h264/avc-configuration.ts";
import { AvcParameterSets } from "../../media/h264/parameter-sets.ts";
import { createAvcPocDecoder } from "../../media/h264/poc.ts";
import { type AvcSample, probeAvcSample } from "../../media/h264/sample-probe.ts";
import { probeAvcStart } from "../../media/h264/start-probe.ts";
import type { HevcConfiguration } from "../../media/hevc/hevc-configuration.ts";
import { HevcParameterSets } from "../../media/hevc/parameter-sets.ts";
import { createHevcPocDecoder } from "../../media/hevc/poc.ts";
import { type HevcSample, probeHevcSample } from "../../media/hevc/sample-probe.ts";
import { probeHevcStart } from "../../media/hevc/start-probe.ts";
import { type Candidate, CUT, type PacketParser, type PictureOrder } from "./packet-parser.ts";
import { STATELESS } from "./probe-parser.ts";

const START_LOOK_BYTES = 512;
/** A picture whose number or order does not follow on: seldom, except after a sync sample. */
const BREAK_BITS = -4;

/** A sample of length-prefixed NAL units. */
interface NalSample {
  readonly kind: "sample";
  readonly sizeBytes: number;
  readonly evidenceBits: number;
  readonly hasParameterSets: boolean;
  readonly parameterSetNals: readonly Uint8Array[];
}

/** What H.264 and HEVC do each in their own way. */
interface NalCodec<Sample extends NalSample> {
  probe(
    window: ByteWindow,
    offset: number,
    limitOffset: number,
  ): Sample | { readonly kind: "cut" } | { readonly kind: "no" };
  probeStart(bytes: Uint8Array, startIndex: number, endIndex: number): number;
  isSync(sample: Sample): boolean;
  /** Bits for the sample as the one decoded after `last`. */
  followsBits(last: Sample, sample: Sample): number;
  updateSets(nals: readonly Uint8Array[]): void;
  order(sample: Sample): PictureOrder;
  reset(): void;
}

/** Finds H.264 samples (avc1, avc3, dvav) by their NAL unit headers. */
export function createAvcParser(configuration: AvcConfiguration, allowsDolbyVision: boolean): PacketParser {
  const sets = new AvcParameterSets(configuration, { allowsDolbyVision });
  const decoder = createAvcPocDecoder();
  return createNalParser<AvcSample>({
    probe: (window, offset, limitOffset) => probeAvcSample(window, offset, sets, { limitOffset }),
    probeStart: (bytes, startIndex, endIndex) => probeAvcStart(bytes, startIndex, endIndex, sets),
    isSync: (sample) => sample.isSync || sample.recoveryFrameCount === 0,
    followsBits(last, { picture }) {
      if (picture.isIdr) return 0;
      const modulus = 2 ** picture.sps.log2MaxFrameNum;
      const ahead = (picture.frameNum - last.picture.frameNum + modulus) % modulus;
      return ahead <= 1 ? picture.sps.log2MaxFrameNum - 1 : BREAK_BITS;
    },
    updateSets: (nals) => sets.update(nals),
    order(sample) {
      const place = decoder.next(sample.picture, sample.secondField);
      // Without coded counts the frame number, two counts a frame, is what wraps.
      const pocModulus = place.pocLsbModulus || 2 * place.maxFrameNum;
      return { poc: place.poc, startsSequence: place.startsSequence, pocModulus };
    },
    reset: () => decoder.reset(),
  });
}

/** Finds HEVC samples (hvc1, hev1, dvh1) by their NAL unit headers. */
export function createHevcParser(configuration: HevcConfiguration): PacketParser {
  const sets = new HevcParameterSets(configuration);
  const decoder = createHevcPocDecoder();
  return createNalParser<HevcSample>({
    probe: (window, offset, limitOffset) => probeHevcSample(window, offset, sets, { limitOffset }),
    probeStart: (bytes, startIndex, endIndex) => probeHevcStart(bytes, startIndex, endIndex, sets),
    isSync: (sample) => sample.isSync,
    followsBits(last, { picture }) {
      if (picture.isIrap) return 0;
      const modulus = 2 ** picture.sps.log2MaxPocLsb;
      const distance = (picture.pocLsb - last.picture.pocLsb + modulus) % modulus;
      const near = Math.min(distance, modulus - distance);
      return near <= 16 ? Math.max(0, picture.sps.log2MaxPocLsb - 5) : BREAK_BITS;
    },
    updateSets: (nals) => sets.update(nals),
    order(sample) {
      const place = decoder.next(sample.picture);
      if (sample.endsSequence) decoder.endSequence();
      return { poc: place.poc, startsSequence: place.startsSequence, pocModulus: place.pocLsbModulus };
    },
    reset: () => decoder.reset(),
  });
}

function createNalParser<Sample extends NalSample>(nal: NalCodec<Sample>): PacketParser {
  let last: Sample | undefined;
  let isOrderAbsolute = false;
  return {
    ...STATELESS,
    probe(window, offset, limit): Candidate | typeof CUT | undefined {
      const answer = nal.probe(window, offset, limit);
      if (answer.kind === "no") return undefined;
      if (answer.kind === "cut") return CUT;
      const { sizeBytes, evidenceBits } = answer;
      return { sizeBytes, evidenceBits, isSync: nal.isSync(answer), durationSamples: 0, detail: answer };
    },
    startEvidenceBits(window, offset) {
      const visible = window.load(offset, START_LOOK_BYTES);
      const start = offset - window.baseOffset;
      return nal.probeStart(window.bytes, start, start + visible);
    },
    continuityBits: (candidate) => (last === undefined ? 0 : nal.followsBits(last, candidate.detail as Sample)),
    take(candidate) {
      last = candidate.detail as Sample;
      if (last.hasParameterSets) nal.updateSets(last.parameterSetNals);
    },
    commit(candidate) {
      const place = nal.order(candidate.detail as Sample);
      if (place.startsSequence) isOrderAbsolute = true;
      return isOrderAbsolute ? { ...place, pocModulus: 0 } : place;
    },
    reset() {
      last = undefined;
      isOrderAbsolute = false;
      nal.reset();
    },
  };
}
