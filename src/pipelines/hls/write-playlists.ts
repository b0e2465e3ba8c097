import { ReelmillError } from "../../base/errors.ts";
import { secondsOf } from "../../ffmpeg/manifest.ts";
import { measurePlaylist, type PresentationAccess } from "../../media/hls/check/measure-playlist.ts";
import type { MeasuredPlaylist, PresentationFault } from "../../media/hls/check/presentation.ts";
import type { MediaPlaylist, MultivariantPlaylist } from "../../media/hls/playlist.ts";
import { targetDuration } from "./cut-segments.ts";
import { type ContentEncryption, createDecrypter } from "./encrypt.ts";
import { describeMultivariant, type MeasuredRung } from "./multivariant.ts";
import { presentationOpener } from "./open-presentation.ts";
import type { PackagePlan } from "./packaging.ts";
import { subtitlePath } from "./parts.ts";
import type { MeasuredSound, MeasuredSubtitles } from "./renditions.ts";
import { writeSubtitles } from "./subtitles.ts";
import { FIRST_TIMESTAMP_TICKS } from "./transport-stream.ts";
import { type EncodedStream, I_FRAMES_PLAYLIST, SEGMENTS_PLAYLIST, writeStream } from "./write-media.ts";

/**
 * Writes every stream's segments and playlists into the package and measures them as players will find them; gives the multivariant playlist,
 * which is still to be written. Throws OUTPUT_NOT_VERIFIED, MEDIA_MALFORMED, ABORTED, and what the system throws.
 */
export async function writePlaylists(
  { sounds, subtitles, segments: mode, video, durationSeconds }: PackagePlan,
  streams: readonly EncodedStream[],
  {
    encodedFolder,
    packageFolder: folder,
    encryption,
  }: {
    readonly encodedFolder: string;
    readonly packageFolder: string;
    readonly encryption: ContentEncryption | undefined;
  },
  signal: AbortSignal,
): Promise<MultivariantPlaylist> {
  const targetSeconds = targetDuration(streams.map(({ index }) => index));
  const rungs: MeasuredRung[] = [];
  const heard: MeasuredSound[] = [];
  const decrypt = encryption && createDecrypter(encryption.key);
  const access = { open: presentationOpener(folder), decrypt };
  const measure = (playlist: MediaPlaylist, path: string): Promise<MeasuredPlaylist> =>
    measureStrictly(playlist, path, access, signal);
  for (const stream of streams) {
    const { segments, iFrames } = await writeStream(stream, folder, { targetSeconds, encryption, signal });
    const media = await measure(segments, `${stream.name}/${SEGMENTS_PLAYLIST}`);
    const plan = sounds.find(({ name }) => name === stream.name);
    if (plan !== undefined) heard.push({ plan, media });
    const { name, codec } = stream;
    if (iFrames === undefined || codec === null) continue;
    const measuredFrames = await measure(iFrames, `${stream.name}/${I_FRAMES_PLAYLIST}`);
    rungs.push({ name, codec, media, iFrames: measuredFrames });
  }
  const originSeconds = secondsOf(video.originTicks, video.timeBase);
  const firstTimestampTicks = mode === "ts" ? FIRST_TIMESTAMP_TICKS : 0;
  const texts: MeasuredSubtitles[] = [];
  for (const plan of subtitles) {
    const times = { originSeconds, durationSeconds, firstTimestampTicks };
    // A text has no samples that SAMPLE-AES could encrypt.
    const whole = encryption?.method === "aes-128" ? encryption : undefined;
    const writing = { targetSeconds, encryption: whole, signal };
    const playlist = await writeSubtitles(plan, subtitlePath(encodedFolder, plan), folder, times, writing);
    texts.push({ plan, media: await measure(playlist, `${plan.name}/${SEGMENTS_PLAYLIST}`) });
  }
  return describeMultivariant(rungs, heard, texts);
}

async function measureStrictly(
  playlist: MediaPlaylist,
  path: string,
  access: PresentationAccess,
  signal: AbortSignal,
): Promise<MeasuredPlaylist> {
  const faults: PresentationFault[] = [];
  const media = await measurePlaylist(playlist, path, access, faults, signal);
  const [fault] = faults;
  if (fault === undefined) return media;
  throw new ReelmillError("OUTPUT_NOT_VERIFIED", `The package cannot be read: ${fault.where}: ${fault.message}`);
}
