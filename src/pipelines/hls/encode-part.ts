import { dirname } from "node:path";
import { describeFallback, deviceFault } from "../../ffmpeg/device-fault.ts";
import { describeChange, type ShapeChange } from "../../ffmpeg/held-shape.ts";
import { DAMAGED_PICTURES, tellsOfDamagedPictures, undecodedStreams } from "../../ffmpeg/source-damage.ts";
import { requireDecodes } from "../../ffmpeg/verify.ts";
import { ENCODED_WHOLE } from "../../spans/encoded-whole.ts";
import { indexFile } from "./index-file.ts";
import { joinRungs, type LendSpans } from "./join-rungs.ts";
import type { Disorder, PackageHooks, PackagePlan } from "./packaging.ts";
import { type EncodePart, filesOf, partsOf, spanPath } from "./parts.ts";
import { createForcedKeys } from "./picture-arguments.ts";
import { WHOLE_SPAN } from "./plan-spans.ts";
import { createPictureCheck } from "./verify.ts";
import { encodeStreams } from "./work.ts";

/** Share of the time that decoding takes of what a device has encoded. */
const CHECKING_SHARE = 0.3;

/** What came of a part. */
export interface EncodedPart {
  /** What a device failed with, so that it was encoded again without it; null: it was encoded as planned. */
  readonly deviceFault: string | null;
  /** Indexes of the source's streams of whose sound some did not decode: silence stands in its place. */
  readonly silenced: readonly number[];
  /** Whether pictures of the source are damaged, as far as its decoder complains. */
  readonly isDamaged: boolean;
  /** Null where all pictures stand where the source's list has them. */
  readonly disorder: Disorder | null;
  /** What the pictures change to on the way; null: nothing, or there are none. */
  readonly change: ShapeChange | null;
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
  let heard: Omit<EncodedPart, "deviceFault"> = { silenced: [], isDamaged: false, disorder: null, change: null };
  const encode = async (as: PackagePlan, progress: PackageHooks): Promise<void> => {
    const { complaints, disorder, change } = await encodeStreams(as, part, inputPath, folder, progress);
    const isDamaged = part.span !== null && tellsOfDamagedPictures(complaints);
    heard = { silenced: findSilenced(plan, part, complaints), isDamaged, disorder, change };
  };
  if (encoder === undefined || part.span === null) {
    await encode(plan, hooks);
    return { deviceFault: null, ...heard };
  }
  let fault = knownFault ?? undefined;
  if (fault === undefined) {
    const tellEncoding = (fraction: number): void => hooks.onProgress((1 - CHECKING_SHARE) * fraction);
    const tellChecking = (fraction: number): void => hooks.onProgress(1 - CHECKING_SHARE * (1 - fraction));
    try {
      await encode(plan, { ...hooks, onProgress: tellEncoding });
      fault = await findFault(withDisorder(plan, [heard.disorder]), part.span, folder, {
        ...hooks,
        onProgress: tellChecking,
      });
    } catch (error) {
      fault = deviceFault(encoder, error, [dirname(inputPath), folder]);
      if (fault === undefined) throw error;
    }
  }
  if (fault === undefined) return { deviceFault: null, ...heard };
  await encode(fallBack(plan, fault), hooks);
  return { deviceFault: fault, ...heard };
}

function findSilenced({ sounds }: PackagePlan, { hasSound }: EncodePart, complaints: readonly string[]): number[] {
  if (!hasSound) return [];
  return [...undecodedStreams(complaints)].filter((index) => sounds.some(({ streamIndex }) => streamIndex === index));
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

/** Where the pictures of a package are put together. */
export interface RungPlaces {
  readonly inputPath: string;
  /** Of the work; what is encoded once more lies there. */
  readonly folder: string;
  /** Lends spans that the parts left, all but those `again`, which lie in the folder. */
  readonly lend: (again: ReadonlySet<string>) => LendSpans;
}

/**
 * Puts the spans of every rung into one file in the folder; gives the plan as it was carried out. Spans of two encoders cannot be joined: where a
 * device failed at some, those that it had made are encoded again. Nor can spans of pictures that change their colours on the way: all
 * are encoded once more then, as one. Throws as `encodeStreams` and `joinRungs`.
 */
export async function uniteRungs(
  plan: PackagePlan,
  made: readonly MadePart[],
  { inputPath, folder, lend }: RungPlaces,
  hooks: PackageHooks,
): Promise<PackagePlan> {
  const fault = made.find((part) => part.deviceFault !== null)?.deviceFault ?? null;
  const damage = made.some(({ isDamaged }) => isDamaged) ? [DAMAGED_PICTURES] : [];
  const changed = describeChange(made.map(({ change }) => change));
  const heard = { ...plan, findings: [...plan.findings, ...describeSilenced(plan, made), ...changed, ...damage] };
  const listed = withDisorder(
    heard,
    made.map(({ disorder }) => disorder),
  );
  const carried = fault === null ? listed : fallBack(listed, fault);
  const isOfDevice = (one: MadePart): boolean => one.part.span !== null && one.deviceFault === null;
  const again = fault === null ? [] : made.filter(isOfDevice).map(({ part }) => part);
  for (const part of again) await encodeStreams(carried, part, inputPath, folder, hooks);
  const there = new Set(again.flatMap((part) => filesOf(plan, part, folder)));
  if (await joinRungs(carried, folder, lend(there), hooks.signal)) return carried;
  const { lastDurationTicks = null } = plan.spans.at(-1) ?? {};
  const span = { ...WHOLE_SPAN, lastDurationTicks };
  const whole = { ...carried, spans: [span], findings: [...carried.findings, ENCODED_WHOLE] };
  const { disorder } = await encodeStreams(whole, { span: 0, hasSound: false }, inputPath, folder, hooks);
  return withDisorder(whole, [disorder]);
}

/** The plan with what the parts told. */
function withDisorder(plan: PackagePlan, told: readonly (Disorder | null)[]): PackagePlan {
  const disorders = told.filter((one) => one !== null);
  const ticks = new Set(disorders.flatMap(({ strayTicks }) => strayTicks));
  const leftOut = disorders.reduce((sum, one) => sum + one.leftOut, 0);
  return { ...plan, video: { ...plan.video, disorder: { strayTicks: [...ticks].sort((a, b) => a - b), leftOut } } };
}

function describeSilenced({ sounds }: PackagePlan, made: readonly MadePart[]): readonly string[] {
  const streams = new Set(made.flatMap(({ silenced }) => silenced));
  const silent = sounds.filter(({ streamIndex }) => streams.has(streamIndex));
  const positions = [...new Set(silent.map(({ position }) => position))];
  return positions.map((position) => `Some of sound track ${position} does not decode: there is silence in its place.`);
}

/** The plan as it was carried out, with the sentence on that. Throws RangeError where no encoder was planned to take over. */
function fallBack(plan: PackagePlan, fault: string): PackagePlan {
  const failed = plan.encoders.find(({ fallback }) => fallback !== null);
  const fallback = failed?.fallback ?? null;
  if (failed === undefined || fallback === null) throw new RangeError("No encoder was planned to take over.");
  const encoders = plan.encoders.map((encoder) => (encoder === failed ? fallback : encoder));
  return { ...plan, encoders, findings: [...plan.findings, describeFallback(failed.name, fault, fallback.name)] };
}

/** Drivers are free to pass over what they were told of key pictures, and to write what nobody can decode; software is not asked. */
async function findFault(
  plan: PackagePlan,
  span: number,
  folder: string,
  { tools, signal, onProgress }: PackageHooks,
): Promise<string | undefined> {
  const check = createPictureCheck(plan, plan.spans[span]);
  for (const [index, rung] of plan.rungs.entries()) {
    const path = spanPath(folder, plan, rung, span);
    const { fragments } = check.add(rung, path);
    const tell = (fraction: number): void => onProgress((index + fraction) / plan.rungs.length);
    const { pictures } = check.finish();
    await requireDecodes(tools, path, { what: rung.name, pictures, signal, onProgress: tell });
    const isForced = createForcedKeys(plan);
    let wanted = 0;
    indexFile(path, (ticks, timescale) => {
      for (const at of ticks) if (isForced(at / timescale)) wanted++;
    });
    if (fragments.length !== wanted) return `${rung.name} has ${fragments.length} key pictures, not ${wanted}`;
  }
  return undefined;
}
