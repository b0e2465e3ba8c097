import { formatCount } from "../../base/units.ts";
import type { AudioStream, MediaManifest, VideoStream } from "../../ffmpeg/manifest.ts";
import type { AudioPlan, ConversionCheck, ConversionPlan } from "./conversion.ts";

/** What MP4 can hold of a language. */
const LANGUAGE_CODE = /^[a-z]{3}$/;

/**
 * Whether the output has the streams that it is to have: their number, codecs, sound's languages, the pictures' size, bits and turn. Colours and
 * channels, which broadcasts change on the way, warn, but for the colours of high dynamic range.
 */
export function checkStreams(plan: ConversionPlan, manifest: MediaManifest): ConversionCheck {
  const { audio, subtitles } = plan;
  const found = [manifest.video.length, manifest.audio.length, manifest.subtitles.length];
  const wanted = [1, audio.length, subtitles.length];
  const codecs = manifest.audio.map(({ codec }) => codec).join(", ");
  const list = `${found[0]} of pictures, ${found[1]} of sound${codecs && ` (${codecs})`}, ${found[2]} of subtitles`;
  const isRight =
    found.every((count, index) => count === wanted[index]) &&
    manifest.audio.every(({ codec }, index) => codec === audio[index]?.codec);
  if (!isRight) return { name: "streams", status: "failed", detail: `the streams are ${list}` };
  const [video] = manifest.video;
  const faults = video === undefined ? [] : pictureFaults(plan, video);
  const doubts = video === undefined ? [] : colourFaults(plan, video);
  if (plan.look.isColourCertain) faults.push(...doubts.splice(0));
  for (const [index, stream] of manifest.audio.entries()) {
    const track = audio[index];
    if (track === undefined) continue;
    const { position } = track;
    if (!hasLanguage(track, stream)) {
      faults.push(`sound track ${position} is of language ${stream.language ?? "und"}, not ${track.language}`);
    }
    const channels = plannedChannels(track);
    if (channels !== 0 && stream.channels !== channels) {
      doubts.push(`sound track ${position} has ${formatCount(stream.channels, "channel")}, not ${channels}`);
    }
  }
  if (faults.length > 0) return { name: "streams", status: "failed", detail: faults.join(", ") };
  if (doubts.length > 0) return { name: "streams", status: "warning", detail: `${list}; ${doubts.join(", ")}` };
  return { name: "streams", status: "passed", detail: list };
}

function pictureFaults({ video: plan, look }: ConversionPlan, video: VideoStream): string[] {
  const faults: string[] = [];
  const compare = (what: string, found: string | number, wanted: string | number): void => {
    if (found !== wanted) faults.push(`${what} ${found}, not ${wanted}`);
  };
  compare("the pictures are", video.codec, plan.codec);
  const size = ({ widthPixels, heightPixels }: Pick<VideoStream, "widthPixels" | "heightPixels">): string =>
    `${widthPixels}x${heightPixels}`;
  compare("the pictures are", size(video), size(look));
  compare("bits of a sample are", video.bitDepth, look.bitDepth);
  compare("the pictures are turned by degrees", video.rotationDegrees, look.rotationDegrees);
  return faults;
}

function colourFaults({ look: { colour } }: ConversionPlan, { colour: made }: VideoStream): string[] {
  return (["matrix", "transfer", "primaries"] as const).flatMap((name) => {
    const wanted = colour[name];
    if (wanted === null || made[name] === wanted) return [];
    return [`the colours' ${name} is ${made[name] ?? "not told"}, not ${wanted}`];
  });
}

/** As many as the source has where nothing else was planned; 0: nobody knows. */
function plannedChannels(track: AudioPlan): number {
  return (track.kind === "encode" ? track.madeChannels : null) ?? track.channels;
}

function hasLanguage({ language }: AudioPlan, stream: AudioStream): boolean {
  return language === null || !LANGUAGE_CODE.test(language) || stream.language === language;
}
