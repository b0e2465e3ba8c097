/** What is known of a source by the way in which it was made. */
export interface SourceFacts {
  /** In words, for a test's title. */
  readonly what: string;
  /** Pictures that play; those before the first edit do not. */
  readonly frameCount: number;
  readonly isInterlaced?: boolean;
  /** Whether a player turns the picture by 90 degrees, so that it is higher than wide. */
  readonly isOnSide?: boolean;
  /** Of each sound track in order, ISO 639-2; empty where the file has no sound. "und" where it names none. */
  readonly audioLanguages: readonly string[];
  /** Whether the times of the pictures are steady. */
  readonly isConstantRate: boolean;
  /** Bits of a colour component; 8 where absent. */
  readonly bitDepth?: 10;
  readonly chapterCount?: number;
  readonly textTracks?: number;
}

/** How ffmpeg makes a source: in the folder where master.mkv, cover.png, chapters.txt and subtitles.srt lie. */
export interface Recipe {
  readonly id: string;
  readonly extension: string;
  /** All arguments but the output, split at blanks. */
  readonly args: string;
  /** A second pass that copies the streams of the first one. */
  readonly copy?: {
    /** Extension of the first pass's file; the recipe's own where absent. */
    readonly from?: string;
    readonly before?: string;
    readonly args: string;
  };
  readonly facts: SourceFacts;
}

const IN = "-i master.mkv";
const X264 = "-c:v libx264 -preset ultrafast -threads 1 -crf 18 -pix_fmt yuv420p -bf 2 -g 25";
const X265 = "-c:v libx265 -preset ultrafast -tag:v hvc1 -pix_fmt yuv420p";
const AAC = "-c:a aac -b:a 128k";
/** Two of seven pictures are missing, and none stands where a clock of 50 Hz would have it. */
const UNSTEADY = "-vf select='not(eq(mod(n\\,7)\\,3)+eq(mod(n\\,7)\\,4))',settb=1/90000,setpts='PTS+0.007*sin(N)/TB'";
const HDR_X265 =
  "log-level=error:hdr10=1:colorprim=bt2020:transfer=smpte2084:colormatrix=bt2020nc:max-cll=1000,400:master-display=" +
  "G(13250,34500)B(7500,3000)R(34000,16000)WP(15635,16450)L(10000000,1)";

const OPEN_HEVC = `${IN} -vf fps=25 -t 5 ${X265} -x265-params log-level=error:open-gop=1:keyint=24:min-keyint=24:bframes=3:b-adapt=0:scenecut=0 ${AAC}`;

/** Of short clips, each of several kinds at once, for encoders that take their time. */
export const SMALL: readonly Recipe[] = small();

/** One source of each kind, in the order in which the tests name them. */
export const RECIPES: readonly Recipe[] = [
  steady("cfr25", "mp4", `${IN} -vf fps=25 -t 4 ${X264} ${AAC}`, "25 pictures a second", 100),
  steady(
    "ntsc",
    "mp4",
    `${IN} -vf fps=30000/1001 -frames:v 120 -t 4.004 ${X264} ${AAC}`,
    "30000/1001 pictures a second",
    120,
  ),
  steady(
    "long-gop",
    "mp4",
    `${IN} -c:v libx264 -preset ultrafast -threads 1 -bf 2 -g 9999 -sc_threshold 0 ${AAC}`,
    "50 pictures a second, one key picture",
    300,
  ),
  unsteady("vfr-mkv", "mkv", `${IN} ${UNSTEADY} -fps_mode passthrough ${X264} ${AAC}`, "a varying rate, Matroska", 214),
  unsteady(
    "vfr-mp4",
    "mp4",
    `${IN} ${UNSTEADY} -fps_mode passthrough -enc_time_base 1:90000 -video_track_timescale 90000 ${X264} ${AAC}`,
    "a varying rate, MP4",
    214,
  ),
  steady(
    "open-gop-h264",
    "mp4",
    `${IN} -vf fps=25 -t 5 -c:v libx264 -preset veryfast -threads 1 -g 24 -bf 3 -sc_threshold 0 -x264-params open-gop=1:b-adapt=0 ${AAC}`,
    "open groups of pictures, H.264",
    125,
  ),
  steady("open-gop-hevc", "mp4", OPEN_HEVC, "open groups of pictures, HEVC", 125),
  {
    ...steady("open-start", "mkv", OPEN_HEVC, "a cut before pictures that need what was cut off", 101),
    copy: { from: "mp4", before: "-ss 1", args: "" },
  },
  ...interlaced(),
  ...shapes(),
  ...soundTracks(),
  ...starts(),
  ...extras(),
  ...lengths(),
  ...SMALL,
];

function interlaced(): readonly Recipe[] {
  const fields = (order: "tff" | "bff"): string => `${IN} -t 4 -vf interlace=scan=${order}`;
  const mpeg2 = "-c:v mpeg2video -threads 1 -b:v 3M -bf 2 -flags +ilme+ildct";
  const facts = { frameCount: 100, isInterlaced: true, isConstantRate: true, audioLanguages: ["und"] } as const;
  const recipe = (id: string, extension: string, args: string, what: string): Recipe => ({
    ...{ id, extension, args, facts: { ...facts, what } },
  });
  return [
    recipe("mpeg2-tff", "ts", `${fields("tff")} ${mpeg2} -c:a mp2`, "interlaced, top field first, MPEG-2"),
    recipe("mpeg2-bff", "mkv", `${fields("bff")} ${mpeg2} -c:a ac3`, "interlaced, bottom field first, MPEG-2"),
    recipe("h264-tff", "mp4", `${fields("tff")} ${X264} -x264-params tff=1 ${AAC}`, "interlaced, top first, H.264"),
    recipe("h264-bff", "mkv", `${fields("bff")} ${X264} -x264-params bff=1 ${AAC}`, "interlaced, bottom first, H.264"),
  ];
}

function shapes(): readonly Recipe[] {
  const short = `${IN} -t 3`;
  const ten: Recipe = steady("ten-bit", "mkv", `${short} ${X264} -pix_fmt yuv420p10le ${AAC}`, "10 bits, H.264", 150);
  const turned: Recipe = steady("rotated", "mp4", `${short} ${X264} ${AAC}`, "turned by 90 degrees", 150);
  return [
    { ...ten, facts: { ...ten.facts, bitDepth: 10 } },
    { ...turned, facts: { ...turned.facts, isOnSide: true } },
    steady(
      "odd-size",
      "mkv",
      `${short} -vf scale=321:181 -c:v libx264 -preset ultrafast -threads 1 -crf 18 -pix_fmt yuv444p ${AAC}`,
      "321×181",
      150,
    ),
    steady("anamorphic", "mp4", `${short} -vf setsar=16/11 ${X264} ${AAC}`, "pixels of 16:11", 150),
    hdr(),
  ];
}

function hdr(): Recipe {
  const tags = "-color_primaries bt2020 -color_trc smpte2084 -colorspace bt2020nc -color_range tv";
  const video = `-c:v libx265 -preset ultrafast -tag:v hvc1 -pix_fmt yuv420p10le -x265-params ${HDR_X265} ${tags}`;
  const recipe = steady("hdr-hevc", "mp4", `${IN} -vf fps=25 -t 2 ${video} ${AAC}`, "HDR10, HEVC", 50);
  return { ...recipe, facts: { ...recipe.facts, bitDepth: 10 } };
}

function soundTracks(): readonly Recipe[] {
  const short = `${IN} -vf fps=25 -t 4 ${X264}`;
  const tracks = `-map 0:v -map 0:a -map 0:a -filter:a:1 volume=0.5 ${AAC}`;
  const languages = "-metadata:s:a:0 language=deu -metadata:s:a:1 language=fra";
  return [
    { ...steady("no-audio", "mp4", `${short} -an`, "no sound", 100, []) },
    steady("languages", "mkv", `${short} ${tracks} ${languages}`, "two sound tracks, two languages", 100, [
      "deu",
      "fra",
    ]),
    steady(
      "surround",
      "mp4",
      `${short} -af pan=5.1|c0=c0|c1=c1|c2=0.5*c0+0.5*c1|c3=0.2*c0|c4=0.7*c1|c5=0.6*c0 -c:a aac -b:a 320k`,
      "5.1 channels",
      100,
    ),
  ];
}

function starts(): readonly Recipe[] {
  const coded = `-vf fps=25 ${X264} ${AAC}`;
  const lateSound = `-t 4 ${IN} -itsoffset 0.7 -t 3 ${IN} -map 0:v -map 1:a ${coded}`;
  const lateVideo = (seconds: number): string =>
    `-itsoffset ${seconds} -t 3.5 ${IN} -t 4 ${IN} -map 0:v -map 1:a -fps_mode passthrough ${X264} ${AAC}`;
  const whole = `${IN} -t 5 ${coded}`;
  return [
    steady("late-audio-mp4", "mp4", lateSound, "sound 0.7 s after the picture, MP4", 100),
    steady("late-audio-mkv", "mkv", lateSound, "sound 0.7 s after the picture, Matroska", 100),
    ...transportAndProgramStreams(),
    steady("early-audio", "mkv", lateVideo(0.31), "sound 0.31 s before the picture, Matroska", 175),
    steady("late-video", "mp4", lateVideo(0.5), "picture 0.5 s after the sound, MP4", 175),
    {
      ...steady("edit-list", "mp4", whole, "an edit that hides the first pictures", 92),
      copy: { before: "-ss 1.3", args: "" },
    },
    steady("ts-large-time", "ts", `${whole} -output_ts_offset 80000`, "an MPEG transport stream from 80000 s on", 125),
    steady(
      "ts-wrap",
      "ts",
      `${whole} -muxdelay 0 -output_ts_offset 95441`,
      "an MPEG transport stream whose clock starts anew",
      125,
    ),
    steady(
      "avi",
      "avi",
      `${IN} -vf fps=25 -t 4 -c:v mpeg4 -threads 1 -q:v 3 -bf 2 -c:a libmp3lame`,
      "an AVI without times",
      100,
    ),
  ];
}

/** Whose clocks begin at no zero, and ffmpeg's readers of which count from the earliest stream that is asked for. */
function transportAndProgramStreams(): readonly Recipe[] {
  const late = (seconds: number): string => `-t 4 ${IN} -itsoffset ${seconds} -t 3 ${IN} -map 0:v -map 1:a -vf fps=25`;
  const early = `-itsoffset 0.5 -t 3.5 ${IN} -t 4 ${IN} -map 0:v -map 1:a -fps_mode passthrough`;
  const mpeg2 = "-c:v mpeg2video -threads 1 -b:v 3M -bf 2";
  return [
    steady("late-audio-ts", "ts", `${late(0.3)} ${X264} ${AAC}`, "sound 0.3 s after the picture, MPEG-TS", 100),
    steady("late-audio-ps", "mpg", `${late(0.1)} ${mpeg2} -c:a mp2`, "sound 0.1 s after the picture, MPEG-PS", 100),
    steady("early-audio-ts", "ts", `${early} ${X264} -c:a mp2`, "sound 0.5 s before the picture, MPEG-TS", 175),
    steady("mp2-h264", "ts", `${IN} -vf fps=25 -t 4 ${X264} -c:a mp2`, "a broadcast of H.264 and MP2", 100),
  ];
}

function extras(): readonly Recipe[] {
  const coded = `-vf fps=25 -t 4 ${X264} ${AAC}`;
  const chaptered = `${IN} -i chapters.txt -map 0 -map_metadata 1 -map_chapters 1 ${coded}`;
  const chapters = steady("chapters", "mkv", chaptered, "chapters and a title", 100);
  const texts = (codec: string): string =>
    `${IN} -i subtitles.srt -map 0 -map 1 ${coded} -c:s ${codec} -metadata:s:s:0 language=ger`;
  const withText = (recipe: Recipe): Recipe => ({ ...recipe, facts: { ...recipe.facts, textTracks: 1 } });
  const second = "-map 0:v -map 0:v -map 0:a -filter:v:0 fps=25 -filter:v:1 fps=25,scale=160:90";
  return [
    { ...chapters, facts: { ...chapters.facts, chapterCount: 2 } },
    withText(steady("srt", "mkv", texts("srt"), "text, Matroska", 100)),
    withText(steady("mov-text", "mp4", texts("mov_text"), "text, MP4", 100)),
    steady(
      "cover",
      "mp4",
      `${IN} -i cover.png -map 0 -map 1 -filter:v:0 fps=25 -t 4 ${X264} -c:v:1 mjpeg -bf:v:1 0 -pix_fmt:v:1 yuvj420p -disposition:v:1 attached_pic ${AAC}`,
      "a cover picture",
      100,
    ),
    steady("two-videos", "mkv", `${IN} ${second} -t 3 ${X264} ${AAC} -disposition:v:1 0`, "two video tracks", 75),
  ];
}

function lengths(): readonly Recipe[] {
  return [
    steady("single-frame", "mp4", `${IN} -frames:v 1 -an ${X264}`, "a single picture", 1, []),
    steady("three-frames", "mp4", `${IN} -vf fps=25 -t 0.12 ${X264} ${AAC}`, "three pictures", 3),
  ];
}

function small(): readonly Recipe[] {
  const openTen = `-an ${X265}10le -x265-params log-level=error:open-gop=1:keyint=12:min-keyint=12:bframes=3:b-adapt=0:scenecut=0`;
  const open = steady("small-open-ten", "mp4", `${IN} -vf fps=25 -t 1.6 ${openTen}`, "open groups, 10 bits", 40, []);
  const late = `-t 1.6 ${IN} -itsoffset 0.3 -t 1.3 ${IN} -map 0:v -map 1:a -map 1:a -filter:a:1 volume=0.5`;
  const clock = "-fps_mode passthrough -enc_time_base 1:90000 -video_track_timescale 90000";
  const languages = "-metadata:s:a:0 language=deu -metadata:s:a:1 language=fra";
  const uneven = unsteady(
    ...(["small-uneven", "mp4", `${late} ${UNSTEADY} ${clock} ${X264} ${AAC} ${languages}`] as const),
    ...(["a varying rate, turned by 90 degrees, late sound in two languages", 58] as const),
  );
  const fields = `${IN} -t 2.4 -vf interlace=scan=tff ${X264} -x264-params tff=1 ${AAC}`;
  const edited = steady("small-fields", "mp4", fields, "interlaced, an edit that hides the first pictures", 42);
  const odd = `${IN} -t 1 -vf scale=321:181 -an -c:v libx264 -preset ultrafast -threads 1 -pix_fmt yuv444p`;
  return [
    { ...open, facts: { ...open.facts, bitDepth: 10 } },
    { ...uneven, facts: { ...uneven.facts, isOnSide: true, audioLanguages: ["deu", "fra"] } },
    { ...edited, copy: { before: "-ss 0.7", args: "" }, facts: { ...edited.facts, isInterlaced: true } },
    steady("small-odd", "mkv", odd, "321×181, no sound", 50, []),
  ];
}

function steady(
  id: string,
  extension: string,
  args: string,
  what: string,
  frameCount: number,
  audioLanguages: readonly string[] = ["und"],
): Recipe {
  return { id, extension, args, facts: { what, frameCount, audioLanguages, isConstantRate: true } };
}

function unsteady(id: string, extension: string, args: string, what: string, frameCount: number): Recipe {
  const recipe = steady(id, extension, args, what, frameCount);
  return { ...recipe, facts: { ...recipe.facts, isConstantRate: false } };
}
