import { z } from "zod";
import { ReelmillError } from "../../base/errors.ts";
import type { Json } from "../../base/json.ts";
import { PLAIN_NAME, PLAIN_NAME_FORM } from "../../base/plain-name.ts";
import type { StageContext } from "../../jobs/pipeline.ts";
import { putJson, readJson } from "../object-json.ts";

const NAME = z.string().regex(PLAIN_NAME, `must be ${PLAIN_NAME_FORM}`);

/** What asks for a media asset to be packaged, in the words of the contract. */
export const HLS_MESSAGE = z.strictObject({
  job_id: NAME.describe("The sender's own name for the job: a message with the same one does nothing twice."),
  media_id: NAME.describe("The media asset."),
  org_id: NAME.describe("Whose it is."),
});

/** As `HLS_MESSAGE` has it. */
export type HlsMessage = z.output<typeof HLS_MESSAGE>;

/** Where a media asset stands, in order: its recording is there; rungs are being encoded; are encoded; the package is there. */
const MEDIA_STATES = ["uploaded", "transcoding", "transcoded", "complete"] as const;

type MediaState = (typeof MEDIA_STATES)[number];

/** The record of a media asset: an object beside its packages. */
interface MediaAsset {
  readonly schema: 1;
  readonly mediaId: string;
  readonly orgId: string;
  /** Of the message that it was last packaged for. */
  readonly jobId: string;
  readonly state: MediaState;
  readonly inputKey: string;
  /** Of the multivariant playlist; null until it is `complete`. */
  readonly playlistKey: string | null;
  /** When it came to each state, in milliseconds since 1970-01-01T00:00:00Z. */
  readonly enteredAtMs: Readonly<Partial<Record<MediaState, number>>>;
  /** What the job gave; null until it is `complete`. */
  readonly result: Json;
}

/** What keys of a message's package begin with; without a message, those of the job alone. */
export function packagePrefix(jobId: string, message: HlsMessage | undefined): string {
  return message === undefined ? `outputs/${jobId}/` : `${assetPrefix(message)}${jobId}/`;
}

function assetPrefix({ org_id, media_id }: HlsMessage): string {
  return `outputs/media/${org_id}/${media_id}/`;
}

function assetKey(message: HlsMessage): string {
  return `${assetPrefix(message)}asset.json`;
}

/**
 * Takes the asset over for the message's job: `transcoding`. Gives what the job gave where it has completed it already, so that nothing
 * is left to do. Throws OBJECT_NOT_FOUND where there is no recording, NO_SPACE, STORE_UNAVAILABLE.
 */
export async function beginAsset(message: HlsMessage, inputKey: string, context: StageContext): Promise<Json> {
  const { objects, clock } = context;
  const found = await findAsset(message, context);
  if (found?.jobId === message.job_id) return found.result;
  const input = await objects.head(inputKey);
  if (input === undefined) throw new ReelmillError("OBJECT_NOT_FOUND", `There is no object with the key ${inputKey}.`);
  const asset: MediaAsset = {
    ...{ schema: 1, mediaId: message.media_id, orgId: message.org_id, jobId: message.job_id },
    ...{ state: "transcoding", inputKey, playlistKey: null },
    enteredAtMs: { uploaded: input.modifiedAtMs, transcoding: clock.nowMs() },
    result: null,
  };
  await putJson(objects, assetKey(message), asset);
  return null;
}

/**
 * The asset's rungs are encoded: `transcoded`. Gives what the job gave where it has completed it already. An asset that another job has taken over
 * since stays that one's. Throws NO_SPACE, STORE_UNAVAILABLE.
 */
export async function markTranscoded(message: HlsMessage, context: StageContext): Promise<Json> {
  const asset = await advance(message, { state: "transcoded" }, context);
  return asset?.jobId === message.job_id ? asset.result : null;
}

/** The asset's package is there: `complete`. As `markTranscoded`. */
export async function completeAsset(
  message: HlsMessage,
  { playlistKey, result }: { readonly playlistKey: string; readonly result: Json },
  context: StageContext,
): Promise<void> {
  await advance(message, { state: "complete", playlistKey, result }, context);
}

/** States only rise; an attempt that comes late changes nothing. */
async function advance(
  message: HlsMessage,
  change: Pick<MediaAsset, "state"> & Partial<MediaAsset>,
  context: StageContext,
): Promise<MediaAsset | undefined> {
  const { objects, clock, log } = context;
  const asset = await findAsset(message, context);
  if (asset === undefined || asset.jobId !== message.job_id) {
    log.info("Another job has taken the media asset over, or its record was removed.", { media_id: message.media_id });
    return asset;
  }
  if (MEDIA_STATES.indexOf(asset.state) >= MEDIA_STATES.indexOf(change.state)) return asset;
  const enteredAtMs = { ...asset.enteredAtMs, [change.state]: clock.nowMs() };
  const next = { ...asset, ...change, enteredAtMs };
  await putJson(objects, assetKey(message), next);
  return next;
}

async function findAsset(message: HlsMessage, { objects }: StageContext): Promise<MediaAsset | undefined> {
  try {
    return await readJson<MediaAsset>(objects, assetKey(message));
  } catch (error) {
    if (error instanceof ReelmillError && error.code === "OBJECT_NOT_FOUND") return undefined;
    throw error;
  }
}
