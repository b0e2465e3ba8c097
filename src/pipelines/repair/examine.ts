import type { Environment } from "../../base/config-defaults.ts";
import { ReelmillError } from "../../base/errors.ts";
import { openFileSource } from "../../base/file-source.ts";
import { findFfmpeg } from "../../ffmpeg/programs.ts";
import { triage } from "../../repair/triage.ts";
import { classifyFile, hasSoundSamples } from "./classify.ts";
import { findContainerDamage } from "./container-damage.ts";
import { FILES } from "./recordings.ts";
import { remuxedContainerOf } from "./remuxed-container.ts";

/** What a look at a recording says. */
export interface Examination {
  /** `unknown`: its content is no recording of a kind that is known, or holds no trace of one. */
  readonly health: "healthy" | "damaged" | "unknown";
  /** Why it is not healthy, in the user's terms, no full stop; empty for a healthy one. */
  readonly reason: string;
  /** Equal for recordings whose tracks have the same codec configuration. */
  readonly signature: string;
}

/** Enough for the first pictures. */
const TRIED_SECONDS = 0.2;
const TRIAL_TIMEOUT_MS = 20_000;

/**
 * Tells whether a file plays and may serve as a reference: its index is there and consistent, the packets it lists stand
 * where it says, and its first pictures decode (that only where ffmpeg is installed). Most of the file is not read. Throws
 * as `openFileSource`, and ABORTED.
 */
export async function examineRecording(
  path: string,
  { environment, signal }: { readonly environment: Environment; readonly signal: AbortSignal },
): Promise<Examination> {
  const found = examineStructure(path);
  if (found.health !== "healthy") return found;
  const problem = await tryDecode(path, environment, signal);
  return problem === undefined ? found : { ...found, health: "damaged", reason: problem };
}

function examineStructure(path: string): Examination {
  const source = openFileSource(path);
  try {
    const container = remuxedContainerOf(source);
    if (container !== undefined) {
      const [note] = findContainerDamage(source, container);
      return { health: note === undefined ? "healthy" : "damaged", reason: note?.text ?? "", signature: container };
    }
    if (triage(source).container !== "isobmff") {
      return { health: "unknown", reason: "its content is no recording of a kind that is known", signature: "" };
    }
  } finally {
    source.close();
  }
  const { health, reason, signature } = classifyFile(path, FILES);
  if (health === "healthy" && !hasSoundSamples(path, FILES)) {
    return { health: "damaged", reason: "packets that its index lists are not where they should be", signature };
  }
  return { health, reason, signature };
}

/** What keeps the beginning from being decoded; undefined where it can be, or where it cannot be tried. */
async function tryDecode(path: string, environment: Environment, signal: AbortSignal): Promise<string | undefined> {
  const tools = await findFfmpeg(environment);
  if (tools === undefined) return undefined;
  const { verifyDecodes } = await import("../../ffmpeg/verify.ts");
  try {
    const quick = { ...tools, timeoutMs: Math.min(tools.timeoutMs, TRIAL_TIMEOUT_MS) };
    const { videoFrames, audioFrames, complaints } = await verifyDecodes(quick, path, {
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
