import type { Environment } from "../../base/config-defaults.ts";
import { ReelmillError } from "../../base/errors.ts";
import type { MediaPlace } from "../../ffmpeg/arguments.ts";
import { findFfmpeg } from "../../ffmpeg/programs.ts";
import { triage } from "../../repair/triage.ts";
import { classifyFile, hasSoundSamples } from "./classify.ts";
import { findContainerDamage } from "./container-damage.ts";
import { FILES, type Recordings } from "./recordings.ts";
import { remuxedContainerOf } from "./remuxed-container.ts";

/** What a look at a recording says. */
export interface Examination {
  /** `unknown`: its content is no recording of a kind that is known, or holds no trace of one. */
  readonly health: "healthy" | "damaged" | "unknown";
  /** Why it is not healthy, in the user's terms, no full stop; empty for a healthy one. */
  readonly reason: string;
  /** Equal for recordings whose tracks have the same codec configuration. */
  readonly signature: string;
  /** Whether damaged ones may learn from it, were it healthy: of what another program mends nothing is learnt. */
  readonly teaches: boolean;
}

/** Where recordings are examined. */
export interface ExaminedPlace {
  readonly recordings: Pick<Recordings, "open" | "triedSamples">;
  /** Where ffmpeg finds a recording. */
  readonly media: (name: string) => Promise<MediaPlace>;
}

const LOCAL: ExaminedPlace = { recordings: FILES, media: async (path) => path };

/** Enough for the first pictures. */
const TRIED_SECONDS = 0.2;
const TRIAL_TIMEOUT_MS = 20_000;

/**
 * Tells whether a file plays and may serve as a reference: its index is there and consistent, the packets it lists stand
 * where it says, and its first pictures decode (that only where ffmpeg is installed). Most of the file is not read. Throws
 * as `openFileSource`, and ABORTED.
 */
export async function examineRecording(
  name: string,
  { environment, signal }: { readonly environment: Environment; readonly signal: AbortSignal },
  { recordings, media }: ExaminedPlace = LOCAL,
): Promise<Examination> {
  const found = examineStructure(name, recordings);
  if (found.health !== "healthy") return found;
  const problem = await tryDecode(() => media(name), environment, signal);
  return problem === undefined ? found : { ...found, health: "damaged", reason: problem };
}

/**
 * The first of some that plays and may teach others, in their order. One that is empty or cannot be read is none, as one that has gone meanwhile; what
 * may pass, such as a store that is away, is thrown, and ABORTED.
 */
export async function findHealthy<T>(
  candidates: readonly T[],
  examine: (candidate: T) => Promise<Pick<Examination, "health" | "teaches">>,
): Promise<T | undefined> {
  for (const candidate of candidates) {
    try {
      const { health, teaches } = await examine(candidate);
      if (health === "healthy" && teaches) return candidate;
    } catch (error) {
      if (!(error instanceof ReelmillError) || error.retryable) throw error;
    }
  }
  return undefined;
}

function examineStructure(name: string, recordings: ExaminedPlace["recordings"]): Examination {
  const source = recordings.open(name);
  try {
    const container = remuxedContainerOf(source);
    if (container !== undefined) {
      const [note] = findContainerDamage(source, container);
      const health = note === undefined ? "healthy" : "damaged";
      return { health, reason: note?.text ?? "", signature: container, teaches: false };
    }
    if (triage(source).container !== "isobmff") {
      const reason = "its content is no recording of a kind that is known";
      return { health: "unknown", reason, signature: "", teaches: false };
    }
  } finally {
    source.close();
  }
  const { health, reason, signature } = classifyFile(name, recordings);
  const found = { health, reason, signature, teaches: true };
  if (health !== "healthy" || hasSoundSamples(name, recordings)) return found;
  return { ...found, health: "damaged", reason: "packets that its index lists are not where they should be" };
}

/** What keeps the beginning from being decoded; undefined where it can be, or where it cannot be tried. */
async function tryDecode(
  find: () => Promise<MediaPlace>,
  environment: Environment,
  signal: AbortSignal,
): Promise<string | undefined> {
  const tools = await findFfmpeg(environment);
  if (tools === undefined) return undefined;
  const { verifyDecodes } = await import("../../ffmpeg/verify.ts");
  try {
    const quick = { ...tools, timeoutMs: Math.min(tools.timeoutMs, TRIAL_TIMEOUT_MS) };
    const { videoFrames, audioFrames, complaints } = await verifyDecodes(quick, await find(), {
      maxSeconds: TRIED_SECONDS,
      signal,
    });
    if (videoFrames + audioFrames > 0) return undefined;
    return `nothing of its beginning can be decoded${complaints[0] === undefined ? "" : `: ${complaints[0]}`}`;
  } catch (error) {
    if (error instanceof ReelmillError && error.code === "FFMPEG_TIMEOUT")
      return "its beginning takes too long to decode";
    throw error;
  }
}
