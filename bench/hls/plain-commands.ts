import type { Rung } from "../../src/pipelines/hls/ladder.ts";
import { KEY_FRAME_SECONDS, SEGMENT_SECONDS } from "../../src/pipelines/hls/packaging.ts";
import { quoteForShell } from "../measuring/run.ts";
import { FRAME_RATE } from "../measuring/source.ts";

const SOUND = "-c:a aac -b:a 128k -ac 2 -ar 48000";
const HLS = `-f hls -hls_time ${SEGMENT_SECONDS} -hls_playlist_type vod -hls_segment_type fmp4 -hls_flags single_file`;

/** What a plain command is made for. */
export interface PlainTask {
  readonly source: string;
  /** A folder that is there. */
  readonly outFolder: string;
  readonly rungs: readonly Rung[];
  readonly preset: string;
}

/** x264 as Reelmill sets it; `suffix` is that of the options' stream, such as `:v:0`. */
function encoding(
  { kilobitsPerSecond, maxKilobitsPerSecond, bufferKilobits }: Rung,
  preset: string,
  suffix: string,
): string {
  const group = FRAME_RATE * KEY_FRAME_SECONDS;
  return [
    `-c${suffix} libx264 -preset${suffix} ${quoteForShell(preset)} -profile${suffix} high -bf${suffix} 0`,
    `-b${suffix} ${kilobitsPerSecond}k -maxrate${suffix} ${maxKilobitsPerSecond}k -bufsize${suffix} ${bufferKilobits}k`,
    `-g${suffix} ${group} -keyint_min${suffix} ${group} -sc_threshold${suffix} 0`,
  ].join(" ");
}

/** One process for each rung, one after the other, and one for the sound. */
export function perRungCommand({ source, outFolder, rungs, preset }: PlainTask): string {
  const input = `ffmpeg -nostdin -y -v error -i ${quoteForShell(source)}`;
  const to = (name: string): string => `${HLS} ${quoteForShell(`${outFolder}/${name}.m3u8`)}`;
  const pictures = rungs.map((rung) => {
    const scale = `-vf scale=${rung.widthPixels}:${rung.heightPixels},format=yuv420p`;
    return `${input} -map 0:v:0 ${scale} ${encoding(rung, preset, ":v")} ${to(rung.name)}`;
  });
  return [...pictures, `${input} -map 0:a:0 ${SOUND} ${to("sound")}`].join(" && ");
}

/** One process: decoded once, each rung scaled from the next larger one, all written by one HLS muxer. */
export function singleCommand({ source, outFolder, rungs, preset }: PlainTask): string {
  const chains = rungs.map(({ widthPixels, heightPixels }, index) => {
    const from = index === 0 ? "[0:v:0]format=yuv420p," : `[n${index - 1}]`;
    const isLast = index === rungs.length - 1;
    return `${from}scale=${widthPixels}:${heightPixels}${isLast ? `[o${index}]` : `,split=2[o${index}][n${index}]`}`;
  });
  const streams = rungs.map((rung, index) => `-map '[o${index}]' ${encoding(rung, preset, `:v:${index}`)}`);
  const variants = [...rungs.map((_rung, index) => `v:${index},agroup:a`), "a:0,agroup:a,default:yes"].join(" ");
  return [
    `ffmpeg -nostdin -y -v error -i ${quoteForShell(source)} -filter_complex '${chains.join(";")}'`,
    ...streams,
    `-map 0:a:0 ${SOUND} ${HLS} -master_pl_name main.m3u8 -var_stream_map '${variants}'`,
    quoteForShell(`${outFolder}/stream-%v.m3u8`),
  ].join(" ");
}
