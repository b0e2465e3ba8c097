import { dirname } from "node:path";
import { ReelmillError } from "../../base/errors.ts";
import { describeFallback, deviceFault } from "../../ffmpeg/device-fault.ts";
import { indexFile } from "./index-file.ts";
import type { PackageHooks, PackagePlan } from "./packaging.ts";
import { forcedKeys } from "./picture-arguments.ts";
import { createPictureCheck } from "./verify.ts";
import { encodedPath, encodeRungs } from "./work.ts";

/** What came of encoding: what a device failed with, so that all was encoded again without it; null: encoded as planned. */
export interface EncodedPackage {
  readonly deviceFault: string | null;
}

/**
 * As `encodeRungs`; where a device fails at it, or sets other key pictures than it was told to, all is encoded again by the encoder planned to take
 * over. Throws as `encodeRungs`, of the two encoders what the last one failed with.
 */
export async function encodePackage(
  plan: PackagePlan,
  inputPath: string,
  folder: string,
  hooks: PackageHooks,
): Promise<EncodedPackage> {
  const encoder = plan.encoders.find(({ fallback }) => fallback !== null);
  let fault: string | undefined;
  try {
    await encodeRungs(plan, inputPath, folder, hooks);
    if (encoder !== undefined) fault = findFault(plan, folder);
  } catch (error) {
    fault = deviceFault({ fallback: encoder?.fallback ?? null }, error, [dirname(inputPath), folder]);
    if (fault === undefined) throw error;
  }
  if (fault === undefined) return { deviceFault: null };
  await encodeRungs(fallBack(plan, fault), inputPath, folder, hooks);
  return { deviceFault: fault };
}

/** The plan as it was carried out, with the sentence on that. Throws RangeError where no encoder was planned to take over. */
export function fallBack(plan: PackagePlan, fault: string): PackagePlan {
  const failed = plan.encoders.find(({ fallback }) => fallback !== null);
  const fallback = failed?.fallback ?? null;
  if (failed === undefined || fallback === null) throw new RangeError("No encoder was planned to take over.");
  const encoders = plan.encoders.map((encoder) => (encoder === failed ? fallback : encoder));
  return { ...plan, encoders, findings: [...plan.findings, describeFallback(failed.name, fault, fallback.name)] };
}

/** Drivers are free to pass over what they were told of key pictures; software is not asked. */
function findFault(plan: PackagePlan, folder: string): string | undefined {
  const check = createPictureCheck(plan);
  for (const rung of plan.rungs) {
    const samples = indexFile(encodedPath(folder, rung));
    try {
      check.add(rung, samples);
    } catch (error) {
      if (!(error instanceof ReelmillError) || error.code !== "OUTPUT_NOT_VERIFIED") throw error;
      return error.problem.replace(/\.$/, "");
    }
    const { fragments, timescale } = samples.index;
    const wanted = forcedKeys(
      plan,
      samples.presentationTicks.map((ticks) => ticks / timescale),
    );
    if (fragments.length !== wanted) return `${rung.name} has ${fragments.length} key pictures, not ${wanted}`;
  }
  return undefined;
}
