/** A recording that a job works on. */
export interface InputFile {
  readonly bytes: number;
  /** How long it plays; null where nobody knows, as of damaged ones. */
  readonly seconds: number | null;
}

/** Codecs of pictures that jobs make. */
export type OutputCodec = "h264" | "hevc" | "vp9" | "av1";

/** Pictures that a job makes of its recordings, as another service would be asked for them. */
export interface VideoOutput {
  readonly codec: OutputCodec;
  /** Upright, in pixels; null where it is not known. */
  readonly heightPixels: number | null;
  readonly widthPixels: number | null;
  readonly framesPerSecond: number | null;
  /** Wished mean bit rate; null where quality decides. */
  readonly kilobitsPerSecond: number | null;
}

/** What a job does, as far as its cost goes. */
export interface Workload {
  /** The pipeline's name. */
  readonly pipeline: string;
  /** Jobs of a pipeline with the same word take equally long for equal recordings, such as `av1` and `av1 fast`. */
  readonly variant: string;
  readonly files: readonly InputFile[];
  /** Of its one recording; empty where no pictures are made. */
  readonly outputs: readonly VideoOutput[];
}

/** All bytes of the recordings. */
export function inputBytes({ files }: Pick<Workload, "files">): number {
  return files.reduce((sum, { bytes }) => sum + bytes, 0);
}

/** How long the recordings play together; null where it is not known of each. */
export function inputSeconds({ files }: Pick<Workload, "files">): number | null {
  return files.reduce<number | null>(
    (sum, { seconds }) => (sum === null || seconds === null ? null : sum + seconds),
    0,
  );
}
