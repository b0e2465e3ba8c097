/** The movie as the repair engine reads and writes it: what `moov` says, with every table in its compact form. */

/** One `stsd` entry. */
export interface SampleEntry {
  /** The entry's fourcc, as Latin-1 text of four characters: `avc1`, `mp4a`, `sowt`, … */
  readonly format: string;
  /** The whole entry box, header included, as it stands in the file. */
  readonly raw: Uint8Array;
  /** Payloads (without box header) of the entry's child boxes by fourcc, those inside QuickTime's `wave` included. */
  readonly children: ReadonlyMap<string, Uint8Array>;
  readonly visual?: { readonly widthPixels: number; readonly heightPixels: number; readonly depthBits: number };
  readonly audio?: {
    /** QuickTime sound sample description version: 0, 1 or 2. */
    readonly version: number;
    readonly channelCount: number;
    readonly sampleSizeBits: number;
    readonly sampleRateHz: number;
    /** Bytes of one uncompressed frame over all channels (PCM); 0 where the entry is compressed. */
    readonly bytesPerFrame: number;
    /** Version 2's format-specific flags (1 float, 2 big-endian, 4 signed); 0 for other versions. */
    readonly formatFlags: number;
    /**
     * QuickTime sound of constant bit rate (`ima4`, `MAC3`, `agsm`, …) whose table in the file counts single frames
     * of one byte: what one packet decodes to (frames) and takes (bytes, all channels). `SampleTable` counts packets.
     */
    readonly packet?: { readonly frameCount: number; readonly sizeBytes: number };
  };
}

/** A track's samples in decode order, as run-length and per-chunk tables (ISO/IEC 14496-12 §8.6–8.7). */
export interface SampleTable {
  readonly sampleCount: number;
  /** Absolute file offset of each chunk, in bytes. */
  readonly chunkOffsets: Float64Array;
  readonly chunkSampleCounts: Uint32Array;
  /** 1-based `stsd` index of each chunk; undefined where all are 1. */
  readonly chunkDescriptionIndexes?: Uint16Array;
  /** Size of every sample in bytes, or 0 where `sizes` tells. PCM: bytes of one frame. */
  readonly constantSizeBytes: number;
  /** Size of each sample in bytes; empty where `constantSizeBytes` is not 0. */
  readonly sizes: Uint32Array;
  /** Pairs (sample count, duration in media timescale ticks). */
  readonly durationRuns: Uint32Array;
  /** Pairs (sample count, signed composition offset in ticks); undefined where presentation is decode order. */
  readonly compositionRuns?: Int32Array;
  /** 0-based indexes of the sync samples, rising; undefined where every sample is one. */
  readonly syncSamples?: Uint32Array;
}

/** One entry of an edit list. */
export interface Edit {
  /** In ticks of the movie's timescale. */
  readonly durationTicks: number;
  /** In ticks of the media's timescale; −1 is an empty edit. */
  readonly mediaTimeTicks: number;
  /** 1 is normal speed (16.16 fixed point in the file). */
  readonly rate: number;
}

/** One `trak`. */
export interface Track {
  readonly trackId: number;
  /** `vide`, `soun`, `meta`, `tmcd`, `text`, … */
  readonly handlerType: string;
  /** Ticks per second of the media, ≥ 1. */
  readonly timescale: number;
  readonly sampleEntries: readonly SampleEntry[];
  readonly samples: SampleTable;
  readonly edits: readonly Edit[];
  /**
   * Boxes handed on as they are, header included, by path below `trak`: `tkhd`, `mdia/mdhd`, `mdia/hdlr`,
   * `mdia/minf/vmhd` (or smhd, nmhd, gmhd, …), `mdia/minf/dinf`, `tref`, `tapt`, `mdia/minf/stbl/sgpd`, …
   * Several boxes of one path stand one after the other in one value, in file order. Index tables, edit lists and
   * user data are never among them.
   */
  readonly boxes: ReadonlyMap<string, Uint8Array>;
}

/** What `trex` says of a track's fragments (ISO/IEC 14496-12 §8.8.3). */
export interface FragmentDefaults {
  /** 1-based `stsd` index. */
  readonly descriptionIndex: number;
  readonly durationTicks: number;
  readonly sizeBytes: number;
  /** 32 sample flags, §8.8.3.1. */
  readonly sampleFlags: number;
}

/** Something in a `moov` that the reader had to leave out or put right. */
export interface MovieProblem {
  /** The box's place, `moov/trak[2]/mdia/minf/stbl/stts`. */
  readonly path: string;
  /** Absolute file offset of that box in bytes. */
  readonly offsetBytes: number;
  /** One sentence in the user's terms. */
  readonly message: string;
}

/** One `moov`. */
export interface Movie {
  /** Ticks per second of the movie header, ≥ 1. */
  readonly timescale: number;
  readonly tracks: readonly Track[];
  /** The `mvhd` box, header included. */
  readonly movieHeader: Uint8Array;
  /** Whether `mvex` announces fragments. */
  readonly isFragmented: boolean;
  /** `trex` by track ID; undefined where no `mvex` stands. */
  readonly fragmentDefaults?: ReadonlyMap<number, FragmentDefaults>;
  /** Undefined where nothing had to be left out or put right. */
  readonly problems?: readonly MovieProblem[];
}
