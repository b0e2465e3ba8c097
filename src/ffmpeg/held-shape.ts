import type { Ratio, VideoStream } from "./manifest.ts";
import { planMatrix, uprightShape } from "./picture-filters.ts";

/** The shape that all pictures of a recording come to, whatever theirs is. */
export interface HeldShape {
  /** In samples, upright, ≥ 1. */
  readonly width: number;
  readonly height: number;
  /** Width of a sample by its height. */
  readonly sampleAspect: Ratio;
  /** In ffmpeg's words, behind the filters that make YUV of RGB. */
  readonly pixelFormat: string;
}

/** What pictures are on the way that the recording's head does not tell: larger or smaller alone, or of another shape. */
export type ShapeChange = "size" | "shape";

/** Shapes that are told by numbers of lines and columns differ by less. */
const SLACK = 0.01;
/** Stand alone on a line of what ffmpeg says where pictures change; no filter says anything alike. */
const MARKS: Readonly<Record<ShapeChange, number>> = { size: 77_160_901, shape: 77_160_902 };
const MARK_LENGTH = 8;
/** ffmpeg's level of warnings. */
const WARNING = 24;

/** What the pictures are held to, as the recording's head tells it. */
export function planHeldShape(video: VideoStream): HeldShape {
  return { ...uprightShape(video), pixelFormat: planMatrix(video).pixelFormat };
}

/**
 * Filters of single pictures that bring all to the shape. Where that is theirs, they are handed on as they are, without a copy. Larger or smaller ones are
 * scaled, which stretches those of another shape: `createChangeWatch` hears of both. ffmpeg builds its filters anew where sizes change, not where only
 * the shape of samples does; the scaler looks at each picture.
 */
export function holdShape(shape: HeldShape): readonly string[] {
  const { width, height, pixelFormat } = shape;
  const tell = (change: ShapeChange): string => `print(${MARKS[change]},${WARNING})`;
  const isAlike = `lt(abs(dar/${shownAspect(shape)}-1),${SLACK})`;
  const told = `if(${isAlike},if(eq(iw,${width})*eq(ih,${height}),0,${tell("size")}),${tell("shape")})`;
  return [`scale=w='${width}+0*${told}':h=${height}:eval=frame`, `format=${pixelFormat}`];
}

/** As `holdShape`, for recordings that are known to change their shape: others stand whole in the middle, between black bars. Each picture is copied. */
export function fitShape(shape: HeldShape): readonly string[] {
  const { width, height, sampleAspect, pixelFormat } = shape;
  const aspect = shownAspect(shape);
  const side = (full: number, share: string): string => `'max(2,min(${full},2*round(${full / 2}*${share})))'`;
  return [
    `scale=w=${side(width, `dar/${aspect}`)}:h=${side(height, `${aspect}/dar`)}:eval=frame`,
    `pad=${width}:${height}:(ow-iw)/2:(oh-ih)/2:eval=frame`,
    `setsar=${sampleAspect.numerator}/${sampleAspect.denominator}:max=100000`,
    `format=${pixelFormat}`,
  ];
}

function shownAspect({ width, height, sampleAspect: { numerator, denominator } }: HeldShape): number {
  return (width * numerator) / (height * denominator);
}

/** Hears from ffmpeg what pictures changed to behind `holdShape`. */
export interface ChangeWatch {
  /** Takes standard error piece by piece. */
  readonly onErrorOutput: (piece: Uint8Array) => void;
  /** The larger change of those heard so far; null: none. */
  readonly change: () => ShapeChange | null;
}

/** A watch of one run. */
export function createChangeWatch(): ChangeWatch {
  let change: ShapeChange | null = null;
  let rest = "";
  return {
    onErrorOutput: (piece) => {
      const text = rest + Buffer.from(piece).toString("latin1");
      if (text.includes(String(MARKS.shape))) change = "shape";
      else if (text.includes(String(MARKS.size))) change ??= "size";
      rest = text.slice(1 - MARK_LENGTH);
    },
    change: () => change,
  };
}

/** The sentence on what some stretches of a recording told; none where nothing changed. */
export function describeChange(changes: readonly (ShapeChange | null | undefined)[]): readonly string[] {
  if (changes.includes("shape")) {
    return [
      "The pictures change their shape on the way: those of another than the first ones' stand between black bars.",
    ];
  }
  return changes.includes("size") ? ["The pictures change their size on the way: all got that of the first ones."] : [];
}
