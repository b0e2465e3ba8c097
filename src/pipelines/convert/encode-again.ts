import { join } from "node:path";
import type { ConversionPlan } from "./conversion.ts";
import { fallBack } from "./fall-back.ts";
import type { ConversionParts, SpanFile } from "./mux.ts";
import { partName, partsOf } from "./parts.ts";
import { runParts } from "./run-parts.ts";
import type { ConvertHooks } from "./work.ts";

/** What finishing needs of the world outside. */
export interface FinishHooks extends ConvertHooks {
  /** A folder for spans that have to be encoded again. */
  readonly workFolder: () => Promise<string>;
}

/**
 * Encodes the spans whose indexes `isWanted` takes on this machine, into files whose names begin with `prefix`; gives them in their order. Throws
 * as `runParts`.
 */
export async function encodeAgain(
  plan: ConversionPlan,
  inputPath: string,
  prefix: string,
  isWanted: (index: number) => boolean,
  hooks: FinishHooks,
): Promise<readonly SpanFile[]> {
  const folder = await hooks.workFolder();
  const spans = partsOf(plan)
    .filter(({ part }) => part.part === "span" && isWanted(part.index))
    .map((planned) => ({ ...planned, path: join(folder, `${prefix}-${partName(planned.part)}`) }));
  return await runParts(plan, spans, inputPath, { ...hooks, onProgress: (fraction) => hooks.onProgress(fraction / 2) });
}

/**
 * One encoder for all spans, for those of two cannot be joined: where a device failed at some, those that it had made are encoded again. Gives
 * the plan as it was carried out. Throws as `runParts`.
 */
export async function uniteSpans(
  plan: ConversionPlan,
  parts: ConversionParts,
  hooks: FinishHooks,
): Promise<{ readonly plan: ConversionPlan; readonly parts: ConversionParts }> {
  const fault = parts.spans.find(({ deviceFault }) => deviceFault !== null)?.deviceFault ?? null;
  if (fault === null || plan.video.kind === "copy") return { plan, parts };
  const { video, finding } = fallBack(plan.video, fault);
  const fallen = { ...plan, video, findings: [...plan.findings, finding] };
  const isOfDevice = (index: number): boolean => parts.spans[index]?.deviceFault === null;
  const again = (await encodeAgain(fallen, parts.inputPath, "fallback", isOfDevice, hooks)).values();
  const spans = parts.spans.map((span, index) => (isOfDevice(index) ? (again.next().value ?? span) : span));
  return { plan: fallen, parts: { ...parts, spans } };
}
