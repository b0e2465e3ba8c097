import { join } from "node:path";
import { ReelmillError } from "../../base/errors.ts";
import { openFileSource } from "../../base/file-source.ts";
import { ENCODED_WHOLE } from "../../spans/encoded-whole.ts";
import { canJoinSpans } from "../../spans/join-spans.ts";
import type { AudioPlan, ConversionPlan } from "./conversion.ts";
import { fallBack } from "./fall-back.ts";
import type { ConversionParts, SpanFile } from "./mux.ts";
import { partName, partsOf } from "./parts.ts";
import { encodingOf } from "./plan-audio.ts";
import { withThreads } from "./plan-encoder.ts";
import { runParts } from "./run-parts.ts";
import { type ConvertHooks, encodeAudio } from "./work.ts";

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

/** A plan as it was carried out, and what was encoded by it. */
export interface United {
  readonly plan: ConversionPlan;
  readonly parts: ConversionParts;
}

/**
 * Spans that can be joined. Those of two encoders cannot: where a device failed at some, those that it had made are encoded again. Nor can those of
 * pictures that change their colours on the way, for each is encoded as its first picture is, nor one without any picture: all are
 * encoded once more then, as one. Throws as `runParts`.
 */
export async function uniteSpans(plan: ConversionPlan, parts: ConversionParts, hooks: FinishHooks): Promise<United> {
  const united = await uniteEncoders(plan, parts, hooks);
  const { video } = united.plan;
  if (video.kind === "copy" || video.spans.length === 1 || doFit(united.parts)) return united;
  const end = video.spans.at(-1)?.end ?? 0;
  const whole = { start: 0, end, startTicks: null, endTicks: null, seekSeconds: null, weight: 1 };
  const findings = [...united.plan.findings, ENCODED_WHOLE];
  // One process has the threads of all.
  const encoder = withThreads(video.encoder, video.processes * video.encoder.threads);
  const alone = { ...united.plan, findings, video: { ...video, encoder, processes: 1, spans: [whole] } };
  return {
    plan: alone,
    parts: { ...parts, spans: await encodeAgain(alone, parts.inputPath, "whole", () => true, hooks) },
  };
}

function doFit({ spans }: ConversionParts): boolean {
  const sources = spans.map(({ path }) => openFileSource(path));
  try {
    return canJoinSpans(sources);
  } finally {
    for (const source of sources) source.close();
  }
}

async function uniteEncoders(plan: ConversionPlan, parts: ConversionParts, hooks: FinishHooks): Promise<United> {
  const fault = parts.spans.find(({ deviceFault }) => deviceFault !== null)?.deviceFault ?? null;
  if (fault === null || plan.video.kind === "copy") return { plan, parts };
  const { video, finding } = fallBack(plan.video, fault);
  const fallen = { ...plan, video, findings: [...plan.findings, finding] };
  const isOfDevice = (index: number): boolean => parts.spans[index]?.deviceFault === null;
  const again = (await encodeAgain(fallen, parts.inputPath, "fallback", isOfDevice, hooks)).values();
  const spans = parts.spans.map((span, index) => (isOfDevice(index) ? (again.next().value ?? span) : span));
  return { plan: fallen, parts: { ...parts, spans } };
}

const UNCOPIABLE = /\[aac_adtstoasc\b|Error (?:applying bitstream filters|muxing a packet)/;

/** Whether a muxer gave up on sound that was to be copied: AAC of MPEG-TS has to be taken apart for MP4, which damage makes impossible. */
export function isSoundUncopiable({ audio }: ConversionPlan, error: unknown): boolean {
  if (!audio.some(({ kind, codec }) => kind === "copy" && codec === "aac")) return false;
  return error instanceof ReelmillError && error.code === "FFMPEG_FAILED" && UNCOPIABLE.test(error.problem);
}

/** Encodes all AAC that was to be copied: what does not decode of it is left out. Throws as `encodeAudio`. */
export async function encodeCopiedSound(
  plan: ConversionPlan,
  parts: ConversionParts,
  hooks: FinishHooks,
): Promise<United> {
  const audio = plan.audio.map((track): AudioPlan => {
    if (track.kind === "encode" || track.codec !== "aac") return track;
    return { ...track, ...encodingOf(track, "aac"), kind: "encode" };
  });
  const finding = "The sound was encoded: some of it is damaged, so that it could not be copied.";
  const encoded = { ...plan, audio, findings: [...plan.findings, finding] };
  const audioPath = join(await hooks.workFolder(), "sound-again.mp4");
  const isSoundDamaged = await encodeAudio(encoded, parts.inputPath, audioPath, hooks);
  return { plan: encoded, parts: { ...parts, audioPath, isSoundDamaged } };
}
