/** A generated pair: a reference of 5 s and a victim of 24 s with other content and the same settings. */
export interface GeneratedCase {
  readonly id: string;
  readonly extension: string;
  /** ffmpeg arguments between the inputs (0: pictures and sound; 1: subtitles) and the output. */
  readonly args: readonly string[];
  /** Whether pictures come at a constant rate, so that times must be exact. */
  readonly isConstantRate: boolean;
  /** Whether the pictures are marked as turned by a quarter. */
  readonly isTurned?: boolean;
  /** An encoder that not every ffmpeg has; the case is left out without it. */
  readonly encoder?: string;
  /** Matroska, WebM and AVI: mended by a remux for the time being, so held to no target of the engine's. */
  readonly isRemuxed?: boolean;
}

const X264 = words("-c:v libx264 -preset veryfast -b:v 2500k -pix_fmt yuv420p -g 60");
const AAC = words("-c:a aac -b:a 160k");
const NO_B = [...X264, ...words("-bf 0")];
const OPUS = words("-c:a libopus -b:a 128k -strict -2");
const SURROUND = "pan=5.1|c0=c0|c1=c1|c2=0.5*c0+0.5*c1|c3=0.2*c0|c4=0.7*c1|c5=0.6*c0";
const DULL = "lowpass=f=1200";
const THIN = "highpass=f=1200";

/** Every generated pair, in the order of the table. */
export const GENERATED_CASES: readonly GeneratedCase[] = [
  pair("h264b_aac", "mp4", [...X264, ...words("-bf 3"), ...AAC]),
  pair("h264nob_aac", "mp4", [...NO_B, ...AAC]),
  pair("h264slices_aac", "mp4", [...X264, ...words("-bf 2 -slices 4"), ...AAC]),
  pair("h264ten_aac", "mp4", [...X264, ...words("-bf 2 -pix_fmt yuv420p10le"), ...AAC]),
  pair("h264interlaced_aac", "mp4", [...X264, ...words("-bf 2 -flags +ilme+ildct -x264-params tff=1"), ...AAC]),
  pair("h264chunk_aac", "mp4", [...NO_B, ...AAC, ...words("-chunk_duration 500000")]),
  pair("h264sixty_aac", "mp4", [...words("-vf setpts=PTS/2,fps=60 -shortest"), ...X264, ...words("-bf 2"), ...AAC]),
  {
    ...pair("h264rotated_aac", "mov", [...X264, ...words("-bf 2"), ...AAC]),
    isTurned: true,
  },
  { ...pair("h264vfr_aac", "mp4", [...words("-fps_mode vfr"), ...NO_B, ...AAC]), isConstantRate: false },
  pair("h264_only", "mp4", [...X264, ...words("-bf 2 -an")]),
  pair("aac_only", "m4a", [...words("-vn"), ...AAC]),
  pair("h264_aac44k", "mp4", [...NO_B, ...AAC, ...words("-ar 44100")]),
  pair("h264_aacmono", "mp4", [...NO_B, ...words("-c:a aac -b:a 96k -ac 1")]),
  pair("h264_aac51", "mp4", [...NO_B, ...words(`-af ${SURROUND} -c:a aac -b:a 320k`)]),
  {
    ...pair("h264_heaac", "mp4", [...NO_B, ...words("-c:a libfdk_aac -profile:a aac_he -b:a 64k")]),
    encoder: "libfdk_aac",
  },
  pair("h264_2aac", "mp4", [...maps(2), ...X264, ...words("-bf 2 -c:a aac -b:a:0 160k -b:a:1 96k")]),
  pair("h264_2aacsame", "mp4", [...maps(2), ...X264, ...words(`-bf 2 -c:a aac -b:a 128k -filter:a:1 ${DULL}`)]),
  pair("h264_4aac", "mp4", fourTracks(`-filter:a:1 ${DULL} -filter:a:2 volume=0.4 -filter:a:3 ${THIN}`)),
  // A track with a tail of its own, and one that is only known, and written, once its end has come.
  pair(
    "h264_4aaclate",
    "mp4",
    fourTracks("-filter:a:1 aecho=0.8:0.88:60:0.4 -filter:a:2 volume=0.4 -filter:a:3 areverse"),
  ),
  pair("h264_2pcm", "mov", [...maps(2), ...NO_B, ...words(`-c:a pcm_s16le -filter:a:1 ${DULL}`)]),
  pair("h264_pcm", "mov", [...NO_B, ...words("-c:a pcm_s16le")]),
  pair("h264_pcmbe24", "mov", [...X264, ...words("-bf 2 -c:a pcm_s24be")]),
  pair("h264_mp3", "mp4", [...NO_B, ...words("-c:a libmp3lame -b:a 160k")]),
  pair("h264_ac3", "mp4", [...NO_B, ...words("-c:a ac3 -b:a 192k")]),
  pair("h264_eac3", "mp4", [...NO_B, ...words("-c:a eac3 -b:a 192k")]),
  pair("h264_alac", "mp4", [...NO_B, ...words("-c:a alac")]),
  pair("h264_alac", "mov", [...NO_B, ...words("-c:a alac")]),
  pair("h264_flac", "mp4", [...NO_B, ...words("-c:a flac -strict -2")]),
  pair("h264_tmcd", "mov", [...X264, ...words("-bf 2 -timecode 01:00:00:00"), ...AAC]),
  pair("h264_text", "mp4", [...words("-map 0:v -map 0:a -map 1"), ...X264, ...words("-bf 2 -c:s mov_text"), ...AAC]),
  pair("h264frag_aac", "mp4", [...NO_B, ...AAC, ...words("-movflags frag_keyframe+empty_moov")]),
  pair("h264fragdash_aac", "mp4", [
    ...X264,
    ...words("-bf 2"),
    ...AAC,
    ...words("-movflags frag_keyframe+empty_moov+default_base_moof+separate_moof"),
  ]),
  pair("h264faststart_aac", "mp4", [...X264, ...words("-bf 2"), ...AAC, ...words("-movflags +faststart")]),
  pair("hevc_aac", "mp4", [...x265("keyint=60"), ...AAC]),
  pair("hevc_aac", "mov", [...x265("keyint=30:bframes=0"), ...AAC]),
  pair("av1_opus", "mp4", [...words("-c:v libsvtav1 -preset 12 -b:v 1500k -g 60"), ...OPUS]),
  pair("vp9_opus", "mp4", [
    ...words("-c:v libvpx-vp9 -deadline realtime -cpu-used 8 -row-mt 1 -b:v 1500k -g 60"),
    ...OPUS,
  ]),
  pair("mpeg4_aac", "mp4", words("-c:v mpeg4 -b:v 2500k -g 30 -c:a aac -b:a 128k")),
  pair("mpeg4b_aac", "mp4", words("-c:v mpeg4 -b:v 2500k -g 30 -bf 2 -c:a aac -b:a 128k")),
  pair("prores_pcm", "mov", words("-c:v prores_ks -profile:v 1 -c:a pcm_s16le")),
  pair("mjpeg_pcm", "mov", words("-c:v mjpeg -q:v 6 -pix_fmt yuvj420p -c:a pcm_s16le")),
  pair("dnxhd_pcm", "mov", words("-c:v dnxhd -profile:v dnxhr_lb -pix_fmt yuv422p -c:a pcm_s16le")),
  remuxed("h264_aac", "mkv", [...X264, ...words("-bf 2"), ...AAC]),
  remuxed("vp8_vorbis", "webm", words("-c:v libvpx -deadline realtime -cpu-used 8 -b:v 1500k -c:a libvorbis")),
  remuxed("mpeg4_mp3", "avi", words("-c:v mpeg4 -vtag XVID -b:v 2500k -g 60 -c:a libmp3lame -b:a 160k")),
  remuxed("mjpeg_pcm", "avi", words("-c:v mjpeg -q:v 6 -pix_fmt yuvj420p -c:a pcm_s16le")),
];

function words(text: string): string[] {
  return text.split(" ");
}

function fourTracks(filters: string): string[] {
  const rates = words("-bf 2 -c:a aac -b:a:0 160k -b:a:1 160k -b:a:2 96k -b:a:3 96k");
  return [...maps(4), ...words(filters), ...X264, ...rates];
}

function maps(audioTracks: number): string[] {
  return ["-map", "0:v", ...Array.from({ length: audioTracks }, () => ["-map", "0:a"]).flat()];
}

function x265(parameters: string): string[] {
  const args = words("-c:v libx265 -preset superfast -b:v 1500k -tag:v hvc1 -x265-params");
  return [...args, `log-level=none:${parameters}`];
}

function pair(id: string, extension: string, args: readonly string[]): GeneratedCase {
  return { id: `${id}_${extension}`, extension, args, isConstantRate: true };
}

function remuxed(id: string, extension: string, args: readonly string[]): GeneratedCase {
  return { ...pair(id, extension, args), isRemuxed: true };
}
