import { resolve } from "node:path";
import { inputDescriptor } from "./process.ts";

/** Names bytes that are handed over with the run as its input. */
export const PIPE = Symbol("bytes of the run");

/** Content that this process serves to ffmpeg at an address of this machine alone. */
export interface ServedMedia {
  /** `http://127.0.0.1:` with a port and a path that nobody else knows. */
  readonly url: string;
}

/** Where ffmpeg finds a recording: a path, or content that is served to it. */
export type MediaPlace = string | ServedMedia;

/** One input of an ffmpeg run. */
export interface FfmpegInput {
  readonly path: MediaPlace | typeof PIPE;
  /** Options that stand before `-i`, such as `["-f", "concat"]`. */
  readonly options?: readonly string[] | undefined;
  /** Protocols the demuxer may open; default `file` and `pipe`. A local playlist needs `crypto` and `data` as well. */
  readonly protocols?: readonly string[] | undefined;
  /** Whether it may be of one of the formats that hold recordings alone: playlists and the like name further files. */
  readonly isRecording?: boolean | undefined;
}

/** ffmpeg's names of formats that hold recordings, none of which opens other files. */
const RECORDING_FORMATS =
  "mov,mp4,m4a,3gp,3g2,mj2,matroska,webm,avi,mpegts,mpeg,mpegvideo,m4v,h264,hevc,vc1,av1,obu,ivf,flv,live_flv,kux,asf,mxf,gxf,nut,ogg,gif,apng,yuv4mpegpipe,dv,rm,wtv,r3d,mjpeg,mjpeg_2000,h261,h263,dirac,dnxhd,cavsvideo,pva,nsv,swf,roq,smk,bink,lxf,mlv,viv,vivo,nuv,ty,dhav,mp3,aac,ac3,eac3,wav,w64,flac,caf,aiff,amr,dts,dtshd,truehd,aa,opus,tta,ape,wv";

const DEFAULT_PROTOCOLS = ["file", "pipe"] as const;

/** Stands before all else in every run: no reading of the terminal, no banner. */
export const COMMON_ARGUMENTS: readonly string[] = ["-nostdin", "-hide_banner"];

/** Stands before all else in every run of ffprobe, which knows no `-nostdin`; it reads no terminal. */
export const PROBE_ARGUMENTS: readonly string[] = ["-hide_banner", "-v", "error"];

/**
 * A path as ffmpeg takes it. The prefix and the absolute form keep a name that begins with `-` from being an option and one
 * with a colon (`http:…`, `concat:…`) from being a protocol.
 */
export function fileArgument(path: string): string {
  return `file:${resolve(path)}`;
}

/** The arguments of one input, protocol whitelist included: hostile files must not make ffmpeg open network addresses. */
export function inputArguments(input: FfmpegInput): readonly string[] {
  if (typeof input.path === "object") return servedArguments(input, input.path);
  const protocols = (input.protocols ?? DEFAULT_PROTOCOLS).join(",");
  return [
    ...(input.options ?? []),
    ...(input.isRecording ? ["-format_whitelist", RECORDING_FORMATS] : []),
    "-protocol_whitelist",
    protocols,
    "-i",
    input.path === PIPE ? `pipe:${inputDescriptor(0)}` : fileArgument(input.path),
  ];
}

const SERVED_URL = /^http:\/\/127\.0\.0\.1:\d{1,5}\/[\w-]+$/;

/** Throws RangeError for an address elsewhere. Recordings alone, because what names further files could name them anywhere on the network. */
function servedArguments({ options = [] }: FfmpegInput, { url }: ServedMedia): readonly string[] {
  if (!SERVED_URL.test(url)) throw new RangeError("What is served to ffmpeg has to be served by this very process.");
  return [
    ...options,
    ...["-format_whitelist", RECORDING_FORMATS, "-protocol_whitelist", "http,tcp"],
    // A proxy of the environment is for addresses elsewhere.
    ...["-http_proxy", "none", "-i", url],
  ];
}

/** A muxer of MP4 takes no packet that lasts longer, in ticks of the output. */
export const MAX_PACKET_TICKS = 2 ** 31 - 1;

/**
 * Tells a muxer that every packet of pictures lasts so many ticks, up to `MAX_PACKET_TICKS`, at least one; `timescale`: how many a second has, in the output. What is
 * copied has to count in the same. Packets' times have to be named as well: left out, ffmpeg 5.1 loses their order.
 */
export function packetDuration(ticks: number, timescale: number): readonly string[] {
  return ["-bsf:v", `setts=pts=PTS:dts=DTS:duration=max(1\\,round(${ticks}/${timescale}/TB))`];
}

/** Tells a muxer that a packet of pictures whose length is not told lasts as long as the one before: MP4 would not show the last one at all. Matroska tells none where rates vary. */
export const TOLD_DURATIONS: readonly string[] = [
  "-bsf:v",
  "setts=pts=PTS:dts=DTS:duration=if(gt(DURATION\\,0)\\,DURATION\\,if(gt(N\\,0)\\,max(1\\,DTS-PREV_INDTS)\\,1))",
];
