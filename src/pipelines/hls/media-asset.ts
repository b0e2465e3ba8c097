import { z } from "zod";
import { ReelmillError } from "../../base/errors.ts";
import type { Json } from "../../base/json.ts";
import { PLAIN_NAME, PLAIN_NAME_FORM } from "../../base/plain-name.ts";
import type { ObjectStore } from "../../jobs/object-store.ts";
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

/** How a media asset stands for one message. */
interface MediaAsset {
  readonly schema: 1;
  readonly mediaId: string;
  readonly orgId: string;
  /** The message's. */
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

/** The asset's record, as its latest message has it: for others to read, made anew from the messages' own. */
function assetKey(message: HlsMessage): string {
  return `${assetPrefix(message)}asset.json`;
}

/** Each state has an object of its own, so that no late attempt writes over what another has reached. */
function stateKey(message: HlsMessage, state: MediaState): string {
  return `${assetPrefix(message)}messages/${message.job_id}/${state}.json`;
}

/**
 * Takes the asset over for the message: `transcoding`; one that has begun before stays where it is. Gives what its job gave where
 * that has completed it already, so that nothing is left to do. Throws OBJECT_NOT_FOUND where there is no recording, NO_SPACE,
 * STORE_UNAVAILABLE.
 */
export async function beginAsset(message: HlsMessage, inputKey: string, context: StageContext): Promise<Json> {
  const { objects, clock } = context;
  const found = await findStanding(message, objects);
  if (found !== undefined) {
    await show(message, found, objects);
    return found.result;
  }
  const input = await objects.head(inputKey);
  if (input === undefined) throw new ReelmillError("OBJECT_NOT_FOUND", `There is no object with the key ${inputKey}.`);
  const begun: MediaAsset = {
    ...{ schema: 1, mediaId: message.media_id, orgId: message.org_id, jobId: message.job_id },
    ...{ state: "transcoding", inputKey, playlistKey: null },
    enteredAtMs: { uploaded: input.modifiedAtMs, transcoding: clock.nowMs() },
    result: null,
  };
  await keep(message, begun, objects);
  return null;
}

/** The rungs are encoded: `transcoded`. Gives what the message's job gave where it has completed the asset already. Throws NO_SPACE, STORE_UNAVAILABLE. */
export async function markTranscoded(message: HlsMessage, context: StageContext): Promise<Json> {
  return (await advance(message, { state: "transcoded" }, context))?.result ?? null;
}

/** The package is there: `complete`. Throws NO_SPACE, STORE_UNAVAILABLE. */
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
  { objects, clock, log }: StageContext,
): Promise<MediaAsset | undefined> {
  const found = await findStanding(message, objects);
  if (found === undefined) {
    log.warn("The records of the media asset were removed.", { media_id: message.media_id });
    return undefined;
  }
  if (isAsFar(found, change)) {
    await show(message, found, objects);
    return found;
  }
  const next = { ...found, ...change, enteredAtMs: { ...found.enteredAtMs, [change.state]: clock.nowMs() } };
  await keep(message, next, objects);
  return next;
}

async function keep(message: HlsMessage, standing: MediaAsset, objects: ObjectStore): Promise<void> {
  await putJson(objects, stateKey(message, standing.state), standing);
  await show(message, standing, objects);
}

/**
 * Puts a message's standing into the asset's record, unless that is one of a later message, or further. The store has no conditional
 * write: where two messages come here at once, the later one's beginning can be written over; its next state mends that.
 */
async function show(message: HlsMessage, standing: MediaAsset, objects: ObjectStore): Promise<void> {
  const shown = await findAsset(assetKey(message), objects);
  const isSettled =
    shown?.jobId === standing.jobId
      ? isAsFar(shown, standing)
      : shown !== undefined && begunAtMs(shown) > begunAtMs(standing);
  if (!isSettled) await putJson(objects, assetKey(message), standing);
}

function isAsFar(asset: MediaAsset, { state }: Pick<MediaAsset, "state">): boolean {
  return MEDIA_STATES.indexOf(asset.state) >= MEDIA_STATES.indexOf(state);
}

function begunAtMs({ enteredAtMs }: MediaAsset): number {
  return enteredAtMs.transcoding ?? 0;
}

/** The furthest that the message has come; undefined where it never began. */
async function findStanding(message: HlsMessage, objects: ObjectStore): Promise<MediaAsset | undefined> {
  for (const state of MEDIA_STATES.toReversed()) {
    const standing = await findAsset(stateKey(message, state), objects);
    if (standing !== undefined) return standing;
  }
  return undefined;
}

async function findAsset(key: string, objects: ObjectStore): Promise<MediaAsset | undefined> {
  try {
    return await readJson<MediaAsset>(objects, key);
  } catch (error) {
    if (error instanceof ReelmillError && error.code === "OBJECT_NOT_FOUND") return undefined;
    throw error;
  }
}
