import { runPool } from "../../base/run-pool.ts";
import type { ConversionPlan } from "./conversion.ts";
import { type EncodedPart, encodePart, type PlannedPart } from "./parts.ts";
import type { ConvertHooks } from "./work.ts";

/** A part and where its file is to lie. */
export interface PlacedPart extends PlannedPart {
  readonly path: string;
}

/** A part that lies in its file. */
export interface MadePart extends PlacedPart, EncodedPart {}

/**
 * Encodes parts on this machine, long ones first, as many at a time as planned; the first failure ends the others. A device that has failed at
 * one part is asked for none that begins later. Gives them in the order of `parts`. Throws as `encodePart`.
 */
export async function runParts(
  plan: ConversionPlan,
  parts: readonly PlacedPart[],
  inputPath: string,
  { tools, signal, onProgress }: ConvertHooks,
): Promise<readonly MadePart[]> {
  const total = parts.reduce((sum, { weight }) => sum + weight, 0);
  const done = new Map<PlacedPart, number>();
  const tell = (part: PlacedPart, fraction: number): void => {
    done.set(part, fraction);
    let sum = 0;
    for (const [{ weight }, share] of done) sum += weight * share;
    onProgress(sum / total);
  };
  const made = new Map<PlacedPart, EncodedPart>();
  let knownFault: string | null = null;
  const longFirst = parts.toSorted((a, b) => b.weight - a.weight);
  await runPool(longFirst, concurrencyOf(plan), signal, async (part, either) => {
    const hooks = { tools, signal: either, onProgress: (fraction: number) => tell(part, fraction) };
    const encoded = await encodePart(plan, part.part, inputPath, part.path, hooks, knownFault);
    knownFault ??= encoded.deviceFault;
    made.set(part, encoded);
    tell(part, 1);
  });
  return parts.flatMap((part) => {
    const encoded = made.get(part);
    return encoded === undefined ? [] : [{ ...part, ...encoded }];
  });
}

/** Where an encoder uses all cores by itself, sound is done beside it, as ffmpeg itself would. */
function concurrencyOf({ video }: ConversionPlan): number {
  return video.kind === "encode" ? Math.max(2, video.processes) : 1;
}
