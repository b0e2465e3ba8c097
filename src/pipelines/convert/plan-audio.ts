import { ReelmillError } from "../../base/errors.ts";
import { type AudioCodec, type AudioEncoding, audioArguments } from "../../ffmpeg/audio-encoder.ts";
import { describeChannels } from "../../ffmpeg/channel-layouts.ts";
import { chooseKnownSounds } from "../../ffmpeg/choose-streams.ts";
import type { AudioStream, MediaManifest } from "../../ffmpeg/manifest.ts";
import { beginsHidden } from "../../ffmpeg/packets.ts";
import type { AudioPlan, AudioTrack } from "./conversion.ts";
import type { ConvertSettings } from "./options.ts";
import type { SearchContext } from "./plan-search.ts";

type Container = "mp4" | "webm";

/** Codecs that players of the container know. */
const FITTING: Readonly<Record<Container, readonly string[]>> = { mp4: ["aac"], webm: ["opus", "vorbis"] };
/** What the container can hold at all. */
const HOLDABLE: Readonly<Record<Container, readonly string[]>> = {
  mp4: ["aac", "mp3", "ac3", "eac3", "alac", "flac", "opus", "dts"],
  webm: ["opus", "vorbis"],
};

/** They become arguments, and files may hold megabytes of them. */
const MAX_TITLE_LENGTH = 1000;
/** Of a tag of BCP 47 in practice. */
const MAX_LANGUAGE_LENGTH = 35;

/** Language and title of a stream, as long as such are at most; null where it has none. */
export function labelsOf({ language, title }: Pick<AudioStream, "language" | "title">) {
  return {
    language: language?.slice(0, MAX_LANGUAGE_LENGTH) ?? null,
    title: title?.slice(0, MAX_TITLE_LENGTH) ?? null,
  };
}

/** Whether sound stays as it is where nobody asks for a copy of it. */
function mayStay(codec: string, settings: ConvertSettings, container: Container): boolean {
  const isAsked = settings.reencode || settings.audioBitrate !== undefined;
  return settings.audio === "auto" && !isAsked && FITTING[container].includes(codec);
}

/**
 * The stream indexes of tracks that could stay as they are, or are to, but begin late, and with packets that are not heard, as recorders write what an encoder
 * needs to get going: ffmpeg copies those without what hides them, so that all would be early by as much. Where sound begins with the file, they
 * come before time 0.
 */
export async function listHiddenStarts(
  path: string,
  { audio, startSeconds: origin }: Pick<MediaManifest, "audio" | "startSeconds">,
  settings: ConvertSettings,
  container: Container,
  { tools, signal }: Pick<SearchContext, "tools" | "signal">,
): Promise<ReadonlySet<number>> {
  const late = audio.filter(
    ({ codec, startSeconds = origin }) =>
      startSeconds > origin &&
      FITTING.mp4.includes(codec) &&
      (settings.audio === "copy" || mayStay(codec, settings, container)),
  );
  const hidden = new Set<number>();
  for (const { index } of late) if (await beginsHidden(tools, path, index, signal)) hidden.add(index);
  return hidden;
}

/**
 * What becomes of each sound track; `hiddenStarts` as `listHiddenStarts` gives them. Throws PARAMS_INVALID where a track that is not there is asked
 * for, or one is to be copied that the container does not hold, and what `audioArguments` throws.
 */
export function planAudio(
  { audio }: Pick<MediaManifest, "audio">,
  settings: ConvertSettings,
  container: Container,
  hiddenStarts: ReadonlySet<number>,
): { readonly tracks: readonly AudioPlan[]; readonly findings: readonly string[] } {
  if (settings.audio === "none") return { tracks: [], findings: [] };
  const chosen = chooseTracks(audio, settings.audioTracks);
  if (chosen.length === 0) return { tracks: [], findings: describeSilence(settings) };
  const { known, findings } = chooseKnownSounds(chosen);
  if (known.length < chosen.length && settings.audioTracks !== "all") {
    throw new ReelmillError("PARAMS_INVALID", "audioTracks names a sound track whose codec ffmpeg does not know.");
  }
  const tracks = known.map((stream) => planTrack(stream, settings, container, hiddenStarts.has(stream.index)));
  return { tracks, findings: [...findings, ...tracks.flatMap((track) => describeTrack(track, hiddenStarts))] };
}

/** Of channels that are mixed or left out, and of sound that is encoded though it would fit. */
function describeTrack(track: AudioPlan, hiddenStarts: ReadonlySet<number>): readonly string[] {
  if (track.kind === "copy") return [];
  const { position, channels, channelLayout, madeChannels } = track;
  return [
    ...describeChannels(position, { channels, channelLayout: channelLayout ?? undefined }, madeChannels),
    ...(hiddenStarts.has(track.streamIndex)
      ? [`Sound track ${position} begins late, with packets that are not heard: it was encoded.`]
      : []),
  ];
}

/** How a track is encoded, as the source has it. Throws as `audioArguments`. */
export function encodingOf(
  { channels, channelLayout }: Pick<AudioTrack, "channels" | "channelLayout">,
  codec: AudioCodec,
  bitrateKbps?: number,
): AudioEncoding {
  return audioArguments({ codec, bitrateKbps, channels, channelLayout: channelLayout ?? undefined });
}

/** Where something was asked of sound that is not there. */
function describeSilence({ audio, audioBitrate }: ConvertSettings): readonly string[] {
  const asked = audioBitrate !== undefined ? "audioBitrate" : audio === "copy" ? "audio" : undefined;
  return asked === undefined ? [] : [`The recording has no sound: ${asked} changes nothing.`];
}

function chooseTracks(audio: readonly AudioStream[], wished: ConvertSettings["audioTracks"]): readonly AudioStream[] {
  if (wished === "all") return audio;
  return [...new Set(wished)].map((position) => {
    const stream = audio[position];
    if (stream !== undefined) return stream;
    const there = audio.length === 0 ? "there is none" : `there are ${audio.length}, counted from 0`;
    throw new ReelmillError("PARAMS_INVALID", `audioTracks names sound track ${position}, but ${there}.`);
  });
}

function planTrack(
  stream: AudioStream,
  settings: ConvertSettings,
  container: Container,
  isHiddenFirst: boolean,
): AudioPlan {
  const { index: streamIndex, position, codec, channels } = stream;
  const track = {
    ...{ streamIndex, position },
    ...labelsOf(stream),
    isDefault: stream.isDefault,
    purposes: stream.purposes,
    channels,
    channelLayout: stream.channelLayout ?? null,
    startSeconds: stream.startSeconds ?? null,
    durationSeconds: stream.durationSeconds ?? null,
  };
  const isCopied = settings.audio === "copy" || (mayStay(codec, settings, container) && !isHiddenFirst);
  if (isCopied) {
    if (!HOLDABLE[container].includes(codec)) {
      const known = HOLDABLE[container].join(", ");
      const message = `audio is "copy", but ${container} does not hold ${codec}, which sound track ${position} has. It holds: ${known}.`;
      throw new ReelmillError("PARAMS_INVALID", message);
    }
    if (isHiddenFirst) {
      const problem = `audio is "copy", but sound track ${position} begins late, with packets that are not heard, behind which a copy would begin too early`;
      throw new ReelmillError("PARAMS_INVALID", `${problem}. With audio "auto" it is encoded.`);
    }
    return { ...track, kind: "copy", codec };
  }
  const made = container === "mp4" ? "aac" : "opus";
  return { ...track, kind: "encode", ...encodingOf(track, made, settings.audioBitrate), codec: made };
}
