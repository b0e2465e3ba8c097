import { matchesBytes } from "../nal/unescape.ts";
import type { AvcConfiguration } from "./avc-configuration.ts";
import { type AvcPps, parseAvcPps } from "./pps.ts";
import { type AvcSps, parseAvcSps } from "./sps.ts";

/** What a stream may hold beyond plain H.264. */
export interface AvcSetsOptions {
  /** Dolby Vision (dvav, dva1, or avc1 with a dvcC box): NAL unit types 28 and 30 ride along. Default false. */
  readonly allowsDolbyVision?: boolean;
  /** SVC or MVC layers: NAL unit types 14, 15, 20, 21. Default: as soon as a subset SPS is seen. */
  readonly allowsLayers?: boolean;
}

const SPS = 7;
const PPS = 8;
const SUBSET_SPS = 15;
/** Where no SPS is known yet, a NAL unit may be this long. */
const MAX_NAL_BYTES_UNKNOWN = 16 * 1024 * 1024;
/** Room for headers and SEI in the smallest pictures. */
const MIN_MAX_NAL_BYTES = 64 * 1024;

interface StoredSet<T> {
  readonly nal: Uint8Array;
  readonly value: T;
}

/**
 * The parameter sets in force: those of the configuration and, laid over them, those found in the stream. Several
 * ids live at once, and a later set replaces an earlier one of its id (ITU-T H.264 §7.4.1.2.1).
 */
export class AvcParameterSets {
  /** Bytes of the length before each NAL unit, 1–4. */
  readonly lengthSizeBytes: number;
  readonly allowsDolbyVision: boolean;
  allowsLayers: boolean;
  /** No NAL unit is longer than the largest picture uncompressed. */
  maxNalBytes = MAX_NAL_BYTES_UNKNOWN;
  /** −log2 of the chance that a random length field is at most `maxNalBytes`. */
  lengthEvidenceBits = 0;
  /** −log2 of the chance that a random ue(v) names a PPS in force. */
  ppsEvidenceBits = 0;
  readonly #sps: (StoredSet<AvcSps> | undefined)[] = [];
  readonly #pps: (StoredSet<AvcPps> | undefined)[] = [];

  /** Sets that cannot be parsed are left out: the stream may repeat them in better shape. */
  constructor(
    configuration: Pick<AvcConfiguration, "lengthSizeBytes" | "spsNals" | "ppsNals">,
    options: AvcSetsOptions = {},
  ) {
    this.lengthSizeBytes = configuration.lengthSizeBytes;
    this.allowsDolbyVision = options.allowsDolbyVision ?? false;
    this.allowsLayers = options.allowsLayers ?? false;
    this.update([...configuration.spsNals, ...configuration.ppsNals]);
  }

  sps(id: number): AvcSps | undefined {
    return this.#sps[id]?.value;
  }

  pps(id: number): AvcPps | undefined {
    return this.#pps[id]?.value;
  }

  /** Every SPS in force, by rising id. */
  allSps(): AvcSps[] {
    return this.#sps.flatMap((stored) => (stored === undefined ? [] : [stored.value]));
  }

  /** Takes over SPS and PPS NAL units, header byte first, in stream order. Returns how many could be parsed. */
  update(nals: readonly Uint8Array[]): number {
    if (nals.length === 0) return 0;
    let taken = 0;
    for (const nal of nals) if (this.#take(nal)) taken++;
    this.#recount();
    return taken;
  }

  /** An independent copy, for trying sets that may turn out not to belong to the stream. */
  fork(): AvcParameterSets {
    const copy = new AvcParameterSets(
      { lengthSizeBytes: this.lengthSizeBytes, spsNals: [], ppsNals: [] },
      { allowsDolbyVision: this.allowsDolbyVision, allowsLayers: this.allowsLayers },
    );
    copy.#sps.push(...this.#sps);
    copy.#pps.push(...this.#pps);
    copy.#recount();
    return copy;
  }

  /** The NAL unit in force that equals the `nalBytes` bytes at `bytes[nalIndex]`, if any. */
  find(bytes: Uint8Array, nalIndex: number, nalBytes: number): Uint8Array | undefined {
    const isSps = ((bytes[nalIndex] as number) & 0x1f) === SPS;
    for (const stored of isSps ? this.#sps : this.#pps) {
      if (stored?.nal.length === nalBytes && matchesBytes(bytes, nalIndex, stored.nal)) return stored.nal;
    }
    return undefined;
  }

  #take(nal: Uint8Array): boolean {
    // Recorders repeat their sets by the second.
    if (nal.length > 0 && this.find(nal, 0, nal.length) !== undefined) return true;
    try {
      const type = (nal[0] ?? 0) & 0x1f;
      if (type === SPS) this.#takeSps(nal, parseAvcSps(nal));
      else if (type === PPS) this.#takePps(nal);
      else if (type === SUBSET_SPS) this.allowsLayers = true;
      else return false;
      return true;
    } catch {
      // A damaged set says nothing; the ones in force stay.
      return false;
    }
  }

  #takeSps(nal: Uint8Array, value: AvcSps): void {
    const before = this.#sps[value.id]?.value;
    this.#sps[value.id] = { nal, value };
    if (before?.chromaFormatIdc === value.chromaFormatIdc) return;
    // The number of scaling lists in a PPS hangs on its SPS's chroma format.
    for (const stored of [...this.#pps]) {
      if (stored?.value.spsId === value.id) this.#takePps(stored.nal);
    }
  }

  #takePps(nal: Uint8Array): void {
    const value = parseAvcPps(nal, (spsId) => this.sps(spsId)?.chromaFormatIdc ?? 1);
    this.#pps[value.id] = { nal, value };
  }

  #recount(): void {
    const all = this.allSps();
    this.maxNalBytes = all.length === 0 ? MAX_NAL_BYTES_UNKNOWN : Math.max(...all.map(maxNalBytesOf));
    this.lengthEvidenceBits = Math.max(0, 8 * this.lengthSizeBytes - Math.log2(this.maxNalBytes));
    let chance = 0;
    for (const stored of this.#pps) {
      if (stored !== undefined) chance += 2 ** -(2 * Math.floor(Math.log2(stored.value.id + 1)) + 1);
    }
    this.ppsEvidenceBits = chance > 0 ? -Math.log2(chance) : 0;
  }
}

/** The uncompressed frame and a quarter: entropy coding of noise adds little, PCM macroblocks bound the rest. */
function maxNalBytesOf(sps: AvcSps): number {
  const chromaSamples = [0, 128, 256, 512][sps.chromaFormatIdc] ?? 512;
  const bits = 256 * sps.bitDepthLuma + chromaSamples * sps.bitDepthChroma;
  const frameBytes = (sps.widthInMbs * sps.frameHeightInMbs * bits) / 8;
  return Math.max(MIN_MAX_NAL_BYTES, Math.ceil(frameBytes * 1.25));
}
