import { BitReader } from "../bytes/bit-reader.ts";

/** `dac3`, ETSI TS 102 366 §F.4. */
export interface Ac3Config {
  readonly fscod: number;
  readonly bsid: number;
  readonly bsmod: number;
  readonly acmod: number;
  readonly isLfeOn: boolean;
  /** 0–18: index of the nominal bit rate (frmsizecod / 2). */
  readonly bitRateCode: number;
}

/** One independent substream of `dec3`. */
export interface Eac3SubstreamConfig {
  readonly fscod: number;
  readonly bsid: number;
  readonly bsmod: number;
  readonly acmod: number;
  readonly isLfeOn: boolean;
  readonly dependentSubstreamCount: number;
}

/** `dec3`, ETSI TS 102 366 §F.6. */
export interface Eac3Config {
  readonly dataRateKbps: number;
  /** Independent substreams in the order of their ids, from 0. */
  readonly substreams: readonly Eac3SubstreamConfig[];
}

/** Reads a `dac3` payload. Throws MEDIA_MALFORMED where it is shorter than three bytes. */
export function parseDac3(payload: Uint8Array): Ac3Config {
  const reader = new BitReader(payload);
  return {
    fscod: reader.bits(2),
    bsid: reader.bits(5),
    bsmod: reader.bits(3),
    acmod: reader.bits(3),
    isLfeOn: reader.flag(),
    bitRateCode: reader.bits(5),
  };
}

/** Reads a `dec3` payload. Throws MEDIA_MALFORMED where it ends before its last substream. */
export function parseDec3(payload: Uint8Array): Eac3Config {
  const reader = new BitReader(payload);
  const dataRateKbps = reader.bits(13);
  const substreamCount = reader.bits(3) + 1;
  const substreams: Eac3SubstreamConfig[] = [];
  for (let i = 0; i < substreamCount; i++) {
    const fscod = reader.bits(2);
    const bsid = reader.bits(5);
    reader.skip(2);
    const bsmod = reader.bits(3);
    const acmod = reader.bits(3);
    const isLfeOn = reader.flag();
    reader.skip(3);
    const dependentSubstreamCount = reader.bits(4);
    reader.skip(dependentSubstreamCount > 0 ? 9 : 1);
    substreams.push({ fscod, bsid, bsmod, acmod, isLfeOn, dependentSubstreamCount });
  }
  return { dataRateKbps, substreams };
}
