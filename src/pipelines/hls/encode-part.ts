import { dirname } from "node:path";
import { ReelmillError } from "../../base/errors.ts";
import { describeFallback, deviceFault } from "../../ffmpeg/device-fault.ts";
import { indexFile } from "./index-file.ts";
import type { PackageHooks, PackagePlan } from "./packaging.ts";
import { type EncodePart, partsOf, spanPath } from "./parts.ts";
import { forcedKeys } from "./picture-arguments.ts";
import { createPictureCheck } from "./verify.ts";
import { encodeStreams } from "./work.ts";

/** What came of a part: what a device failed with, so that it was encoded again without it; null: it was encoded as planned. */
export interface EncodedPart {
  readonly deviceFault: string | null;
}

/** A part and what came of it. */
export interface MadePart extends EncodedPart {
  readonly part: EncodePart;
}

/**
 * As `encodeStreams`; where a device fails at it, or sets other key pictures than it was told to, the part is encoded again by the encoder planned
 * to take over, which a known fault asks at once. Throws as `encodeStreams`, of the two encoders what the last one failed with.
 */
export async function encodePart(
  plan: PackagePlan,
  part: EncodePart,
  inputPath: string,
  folder: string,
  hooks: PackageHooks,
  knownFault: string | null = null,
): Promise<EncodedPart> {
  const encoder = plan.encoders.find(({ fallback }) => fallback !== null);
  if (encoder === undefined || part.span === null) {
    await encodeStreams(plan, part, inputPath, folder, hooks);
    return { deviceFault: null };
  }
  let fault = knownFault ?? undefined;
  if (fault === undefined) {
    try {
      await encodeStreams(plan, part, inputPath, folder, hooks);
      fault = findFault(plan, part.span, folder);
    } catch (error) {
      fault = deviceFault(encoder, error, [dirname(inputPath), folder]);
      if (fault === undefined) throw error;
    }
  }
  if (fault === undefined) return { deviceFault: null };
  await encodeStreams(fallBack(plan, fault), part, inputPath, folder, hooks);
  return { deviceFault: fault };
}

/** As `encodePart`, one part after the other, all of the plan. */
export async function encodeParts(
  plan: PackagePlan,
  inputPath: string,
  folder: string,
  hooks: PackageHooks,
): Promise<readonly MadePart[]> {
  const parts = partsOf(plan);
  const made: MadePart[] = [];
  let knownFault: string | null = null;
  for (const [index, part] of parts.entries()) {
    const onProgress = (fraction: number): void => hooks.onProgress((index + fraction) / parts.length);
    const encoded = await encodePart(plan, part, inputPath, folder, { ...hooks, onProgress }, knownFault);
    knownFault ??= encoded.deviceFault;
    made.push({ part, ...encoded });
  }
  return made;
}

/** A plan as it was carried out, and the parts of it that were encoded once more, into the folder. */
export interface UnitedParts {
  readonly plan: PackagePlan;
  readonly again: readonly EncodePart[];
}

/**
 * One encoder for all spans, for those of two cannot be joined: where a device failed at some, those that it had made are encoded again. Throws as
 * `encodeStreams`.
 */
export async function uniteParts(
  plan: PackagePlan,
  made: readonly MadePart[],
  inputPath: string,
  folder: string,
  hooks: PackageHooks,
): Promise<UnitedParts> {
  const fault = made.find((part) => part.deviceFault !== null)?.deviceFault ?? null;
  if (fault === null) return { plan, again: [] };
  const fallen = fallBack(plan, fault);
  const again = made.filter((one) => one.part.span !== null && one.deviceFault === null).map(({ part }) => part);
  for (const part of again) await encodeStreams(fallen, part, inputPath, folder, hooks);
  return { plan: fallen, again };
}

/** The plan as it was carried out, with the sentence on that. Throws RangeError where no encoder was planned to take over. */
function fallBack(plan: PackagePlan, fault: string): PackagePlan {
  const failed = plan.encoders.find(({ fallback }) => fallback !== null);
  const fallback = failed?.fallback ?? null;
  if (failed === undefined || fallback === null) throw new RangeError("No encoder was planned to take over.");
  const encoders = plan.encoders.map((encoder) => (encoder === failed ? fallback : encoder));
  return { ...plan, encoders, findings: [...plan.findings, describeFallback(failed.name, fault, fallback.name)] };
}

/** Drivers are free to pass over what they were told of key pictures; software is not asked. */
function findFault(plan: PackagePlan, span: number, folder: string): string | undefined {
  const check = createPictureCheck(plan, plan.spans[span]);
  for (const rung of plan.rungs) {
    const samples = indexFile(spanPath(folder, plan, rung, span));
    try {
      check.add(rung, samples);
    } catch (error) {
      if (!(error instanceof ReelmillError) || error.code !== "OUTPUT_NOT_VERIFIED") throw error;
      return error.problem.replace(/\.$/, "");
    }
    const { index, presentationTicks } = samples;
    const { fragments, timescale } = index;
    const secondsAt = (picture: number): number => (presentationTicks[picture] as number) / timescale;
    const wanted = forcedKeys(plan, presentationTicks.length, secondsAt).length;
    if (fragments.length !== wanted) return `${rung.name} has ${fragments.length} key pictures, not ${wanted}`;
  }
  return undefined;
}
