import { matchesBytes } from "../nal/unescape.ts";
import type { HevcConfiguration } from "./hevc-configuration.ts";
import { type HevcPps, parseHevcPps } from "./pps.ts";
import { type HevcSps, parseHevcSps } from "./sps.ts";
import { type HevcVps, parseHevcVps } from "./vps.ts";

/** What a stream may hold beyond what its configuration says. */
export interface HevcSetsOptions {
  /** Highest nuh_layer_id, 0–62. Default: what the VPS says, or the highest of the configuration's sets. */
  readonly maxLayerId?: number;
}

const VPS = 32;
const SPS = 33;
const PPS = 34;
/** Where no SPS is known yet, a NAL unit may be this long. */
const MAX_NAL_BYTES_UNKNOWN = 32 * 1024 * 1024;
/** Room for headers and SEI in the smallest pictures. */
const MIN_MAX_NAL_BYTES = 64 * 1024;

interface StoredSet<T> {
  readonly nal: Uint8Array;
  readonly value: T;
}

/**
 * The parameter sets of the base layer in force: those of the configuration and, laid over them, those found in the
 * stream. Several ids live at once, and a later set replaces an earlier one of its id (ITU-T H.265 §7.4.2.4.2).
 */
export class HevcParameterSets {
  /** Bytes of the length before each NAL unit, 1–4. */
  readonly lengthSizeBytes: number;
  /** NAL units of layers above this are not of this stream; 0 with the base layer alone. */
  maxLayerId: number;
  /** No NAL unit is longer than the largest picture uncompressed. */
  maxNalBytes = MAX_NAL_BYTES_UNKNOWN;
  /** −log2 of the chance that a random length field is at most `maxNalBytes`. */
  lengthEvidenceBits = 0;
  /** −log2 of the chance that a random ue(v) names a PPS in force. */
  ppsEvidenceBits = 0;
  readonly #vps: (StoredSet<HevcVps> | undefined)[] = [];
  readonly #sps: (StoredSet<HevcSps> | undefined)[] = [];
  readonly #pps: (StoredSet<HevcPps> | undefined)[] = [];

  /** Sets that cannot be parsed are left out: the stream may repeat them in better shape. */
  constructor(
    configuration: Pick<HevcConfiguration, "lengthSizeBytes" | "vpsNals" | "spsNals" | "ppsNals">,
    options: HevcSetsOptions = {},
  ) {
    this.lengthSizeBytes = configuration.lengthSizeBytes;
    this.maxLayerId = options.maxLayerId ?? 0;
    this.update([...configuration.vpsNals, ...configuration.spsNals, ...configuration.ppsNals]);
  }

  vps(id: number): HevcVps | undefined {
    return this.#vps[id]?.value;
  }

  sps(id: number): HevcSps | undefined {
    return this.#sps[id]?.value;
  }

  pps(id: number): HevcPps | undefined {
    return this.#pps[id]?.value;
  }

  /** Every SPS in force, by rising id. */
  allSps(): HevcSps[] {
    return this.#sps.flatMap((stored) => (stored === undefined ? [] : [stored.value]));
  }

  /** Takes over VPS, SPS and PPS NAL units, header bytes first, in stream order. Returns how many were understood. */
  update(nals: readonly Uint8Array[]): number {
    if (nals.length === 0) return 0;
    let taken = 0;
    for (const nal of nals) if (this.#take(nal)) taken++;
    this.#recount();
    return taken;
  }

  /** An independent copy, for trying sets that may turn out not to belong to the stream. */
  fork(): HevcParameterSets {
    const copy = new HevcParameterSets(
      { lengthSizeBytes: this.lengthSizeBytes, vpsNals: [], spsNals: [], ppsNals: [] },
      { maxLayerId: this.maxLayerId },
    );
    copy.#vps.push(...this.#vps);
    copy.#sps.push(...this.#sps);
    copy.#pps.push(...this.#pps);
    copy.#recount();
    return copy;
  }

  /** The NAL unit in force that equals the `nalBytes` bytes at `bytes[nalIndex]`, if any. */
  find(bytes: Uint8Array, nalIndex: number, nalBytes: number): Uint8Array | undefined {
    const type = ((bytes[nalIndex] as number) >> 1) & 0x3f;
    for (const stored of type === VPS ? this.#vps : type === SPS ? this.#sps : this.#pps) {
      if (stored?.nal.length === nalBytes && matchesBytes(bytes, nalIndex, stored.nal)) return stored.nal;
    }
    return undefined;
  }

  #take(nal: Uint8Array): boolean {
    // Recorders repeat their sets by the second.
    if (nal.length > 0 && this.find(nal, 0, nal.length) !== undefined) return true;
    const layerId = (((nal[0] ?? 0) & 1) << 5) | ((nal[1] ?? 0) >> 3);
    if (layerId > 0) {
      // Sets of other layers are not parsed, but show that the layer is there.
      this.maxLayerId = Math.max(this.maxLayerId, layerId);
      return true;
    }
    try {
      return this.#takeBase(nal);
    } catch {
      // A damaged set says nothing; the ones in force stay.
      return false;
    }
  }

  #takeBase(nal: Uint8Array): boolean {
    const type = ((nal[0] ?? 0) >> 1) & 0x3f;
    if (type === VPS) {
      const value = parseHevcVps(nal);
      this.#vps[value.id] = { nal, value };
      this.maxLayerId = Math.max(this.maxLayerId, value.maxLayers - 1);
    } else if (type === SPS) {
      const value = parseHevcSps(nal);
      this.#sps[value.id] = { nal, value };
    } else if (type === PPS) {
      const value = parseHevcPps(nal);
      this.#pps[value.id] = { nal, value };
    } else return false;
    return true;
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

/** The uncompressed picture and a quarter: entropy coding of noise adds little, PCM blocks bound the rest. */
function maxNalBytesOf(sps: HevcSps): number {
  const chromaShare = [0, 0.5, 1, 2][sps.chromaFormatIdc] ?? 2;
  const bits = sps.bitDepthLuma + chromaShare * sps.bitDepthChroma;
  const pictureBytes = (sps.codedWidth * sps.codedHeight * bits) / 8;
  return Math.max(MIN_MAX_NAL_BYTES, Math.ceil(pictureBytes * 1.25));
}
