import { appendFileSync, readFileSync, rmSync, statSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import {
  editFirst,
  editMain,
  editMedia,
  editRendition,
  editSegment,
  withoutCaptions,
  withoutMap,
} from "./edit-ladder.fixture.ts";
import { HIGH, LOW, type Recipe, type Rung, SECONDS, STEREO } from "./ladder.fixture.ts";

/** Ladders of two rungs as the rules want them. */
export const FMP4: Recipe = { container: "fmp4", rungs: [HIGH, LOW], sound: STEREO };
export const TS: Recipe = { container: "mpegts", rungs: [HIGH, LOW], sound: STEREO };

/** Cut every six seconds although its key frames stand 1.8 s apart. */
const CUT_ANYWHERE: Rung = {
  ...HIGH,
  encoder: HIGH.encoder.replace("-g 50", "-g 45"),
  muxer: "-hls_flags split_by_time",
};

/** One picture stands a tick behind the one before. */
const VARIABLE: Recipe = {
  ...FMP4,
  rungs: [HIGH, LOW].map((rung) => ({
    ...rung,
    encoder: `-fps_mode passthrough -enc_time_base 1:90000 ${rung.encoder} -bsf:v setts=ts=TS-if(eq(N\\,40)\\,3599/90000/TB\\,0)`,
  })),
};

/** With the sound of all in its own segments. */
const MUXED: Rung = {
  ...HIGH,
  encoder: `-f lavfi -i sine=440:r=48000 -t ${SECONDS} ${HIGH.encoder} ${STEREO}`,
};

/** Takes the first I-frame stream away, which is made of the segments that are broken. */
function dropFirstIFrames(folder: string): void {
  editMain(folder, ({ iFrameVariants }) => ({ iFrameVariants: iFrameVariants.slice(1) }));
}

const EVERY_PLAYLIST = ["high/index.m3u8", "low/index.m3u8", "audio/index.m3u8", "subtitles/index.m3u8"];

const DATE = "2026-02-28T10:00:00.000Z";

function dateFirst(path: string, programDateTime: string) {
  return editSegment(path, 0, () => ({ programDateTime }));
}

/** What is broken, how, and the rules, all of them musts, that fail for it: no others may. */
export const BROKEN: readonly (readonly [
  what: string,
  recipe: Recipe,
  breaks: (folder: string) => void,
  failing: readonly string[],
])[] = [
  ["CODECS of another profile", FMP4, editFirst(() => ({ codecs: ["avc1.64001e", "mp4a.40.2"] })), ["codecs"]],
  ["CODECS without the sound", FMP4, editFirst(() => ({ codecs: ["avc1.4d401e"] })), ["codecs"]],
  ["CODECS with a format too many", TS, editFirst(({ codecs = [] }) => ({ codecs: [...codecs, "ac-3"] })), ["codecs"]],
  [
    "BANDWIDTH half too high",
    FMP4,
    editFirst(({ bandwidthBitsPerSecond: rate }) => ({ bandwidthBitsPerSecond: Math.round(rate * 1.5) })),
    ["bandwidth-within-10-percent"],
  ],
  [
    "BANDWIDTH a little below the peak",
    TS,
    editFirst(({ bandwidthBitsPerSecond: rate }) => ({ bandwidthBitsPerSecond: Math.round(rate * 0.95) })),
    ["bandwidth-covers-peak"],
  ],
  [
    "AVERAGE-BANDWIDTH too low",
    FMP4,
    editFirst(() => ({ averageBandwidthBitsPerSecond: 1_600_000 })),
    ["average-bandwidth"],
  ],
  [
    "another RESOLUTION",
    TS,
    editFirst(() => ({ resolution: { widthPixels: 640, heightPixels: 352 } })),
    ["resolution"],
  ],
  ["another FRAME-RATE", FMP4, editFirst(() => ({ framesPerSecond: 24.975 })), ["frame-rate"]],
  [
    "the FRAME-RATE of the shortest of variable intervals",
    VARIABLE,
    editFirst(() => ({ framesPerSecond: 90_000 })),
    ["frame-rate", "frame-rate-limit"],
  ],
  ["an HDCP-LEVEL that there is none of", FMP4, editFirst(() => ({ hdcpLevel: "TYPE-9" })), ["hdcp-level"]],
  ["a LANGUAGE that is none", FMP4, editRendition(0, () => ({ language: "in English" })), ["rendition-language"]],
  [
    "a discontinuity in one variant alone",
    FMP4,
    editSegment("low/index.m3u8", 1, () => ({ isDiscontinuity: true })),
    ["discontinuities-match"],
  ],
  [
    "other numbers of discontinuities",
    FMP4,
    editMedia("low/index.m3u8", () => ({ discontinuitySequence: 1 })),
    ["discontinuities-match"],
  ],
  [
    "a date in one variant alone",
    FMP4,
    editSegment("low/index.m3u8", 1, () => ({ programDateTime: DATE })),
    ["program-date-times"],
  ],
  [
    "dates of the same media that differ by an hour in one variant",
    FMP4,
    (folder) => {
      for (const path of [...EVERY_PLAYLIST, "high/iframes.m3u8", "low/iframes.m3u8"]) dateFirst(path, DATE)(folder);
      dateFirst("audio/index.m3u8", DATE.replace("T10", "T11"))(folder);
    },
    ["program-date-times"],
  ],
  [
    "a media playlist with one bad line",
    FMP4,
    (folder) => appendFileSync(join(folder, "low", "index.m3u8"), "#EXT-X-BITRATE:fast\n"),
    ["playlist-syntax"],
  ],
  [
    "a day that the calendar has not",
    FMP4,
    (folder) => appendFileSync(join(folder, "low", "iframes.m3u8"), "#EXT-X-PROGRAM-DATE-TIME:2026-02-29T10:00:00Z\n"),
    ["playlist-syntax"],
  ],
  [
    "a cue without its times",
    FMP4,
    (folder) => appendFileSync(join(folder, "subtitles", "0.vtt"), "\nA line\n"),
    ["segments-readable"],
  ],
  ["SDR called PQ", FMP4, editFirst(() => ({ videoRange: "PQ" })), ["video-range"]],
  ["a group that is not there", FMP4, editFirst(() => ({ subtitlesGroupId: "none" })), ["group-exists"]],
  [
    "captions denied by one variant alone",
    FMP4,
    (folder) =>
      editMain(folder, ({ variants: [first, ...others] }) => ({
        variants: [...(first ? [withoutCaptions(first)] : []), ...others],
      })),
    ["no-closed-captions"],
  ],
  ["no ENDLIST", FMP4, editMedia("low/index.m3u8", () => ({ hasEndList: false })), ["endlist"]],
  ["an EVENT", TS, editMedia("audio/index.m3u8", () => ({ playlistType: "EVENT" })), ["playlist-type-vod"]],
  ["a version too low", FMP4, editMedia("high/index.m3u8", () => ({ version: 5 })), ["version"]],
  [
    "a byte range past the end",
    FMP4,
    editSegment("high/index.m3u8", 1, () => ({ byteRange: { offsetBytes: 1, lengthBytes: 2 ** 40 } })),
    ["byte-ranges-within-file"],
  ],
  ["a segment that is not there", TS, (folder) => rmSync(join(folder, "high", "seg1.ts")), ["files-exist"]],
  [
    "a segment whose last samples are cut off",
    FMP4,
    (folder) => {
      const path = join(folder, "high", "seg1.m4s");
      truncateSync(path, statSync(path).size - 500);
    },
    ["segments-readable"],
  ],
  [
    "a segment that lacks bytes behind its samples",
    FMP4,
    (folder) => appendFileSync(join(folder, "high", "seg1.m4s"), Buffer.from("000003e8667265650000", "hex")),
    ["segments-readable"],
  ],
  ["a segment of nothing", FMP4, (folder) => truncateSync(join(folder, "high", "seg1.m4s")), ["files-exist"]],
  [
    "a segment elsewhere",
    FMP4,
    editSegment("high/index.m3u8", 0, () => ({ uri: "https://example.com/a.m4s" })),
    ["references-relative"],
  ],
  [
    "a segment outside",
    TS,
    editSegment("high/index.m3u8", 0, () => ({ uri: "../../outside.ts" })),
    ["references-relative"],
  ],
  [
    "a line that is no tag",
    FMP4,
    (folder) => writeFileSync(join(folder, "high", "iframes.m3u8"), "#EXTM3U\n#EXT-X-TARGETDURATION:six\n"),
    ["playlist-syntax"],
  ],
  [
    "EXTINF that drifts from the media and back",
    FMP4,
    (folder) => {
      editSegment("high/index.m3u8", 0, ({ durationSeconds }) => ({ durationSeconds: durationSeconds - 0.06 }))(folder);
      editSegment("high/index.m3u8", 1, ({ durationSeconds }) => ({ durationSeconds: durationSeconds + 0.06 }))(folder);
    },
    ["segment-durations"],
  ],
  [
    "a target duration below what segments last",
    FMP4,
    (folder) => {
      for (const path of EVERY_PLAYLIST) editMedia(path, () => ({ targetDurationSeconds: 5 }))(folder);
    },
    ["target-duration", "segment-media-within-target"],
  ],
  [
    "another target duration for sound",
    TS,
    editMedia("audio/index.m3u8", () => ({ targetDurationSeconds: 7 })),
    ["same-target-duration"],
  ],
  [
    "a rendition that is too short",
    FMP4,
    editMedia("subtitles/index.m3u8", ({ segments }) => ({ segments: segments.slice(0, 1) })),
    ["equal-durations"],
  ],
  [
    "no EXT-X-MAP",
    FMP4,
    editMedia("low/index.m3u8", ({ segments }) => ({ segments: segments.map(withoutMap) })),
    ["map-for-fmp4"],
  ],
  [
    "a rendition without a language",
    FMP4,
    (folder) =>
      editMain(folder, ({ renditions }) => ({ renditions: renditions.map(({ language: _, ...rest }) => rest) })),
    ["rendition-language"],
  ],
  [
    "two renditions of one name",
    FMP4,
    (folder) =>
      editMain(folder, ({ renditions }) => ({
        renditions: renditions.flatMap((rendition) => [
          rendition,
          { ...rendition, isDefault: false, isAutoselect: false },
        ]),
      })),
    ["rendition-names"],
  ],
  [
    "a default that is not chosen by itself",
    TS,
    editRendition(0, () => ({ isAutoselect: false })),
    ["rendition-attributes"],
  ],
  ["no I-frame playlists", TS, (folder) => editMain(folder, () => ({ iFrameVariants: [] })), ["i-frame-playlists"]],
  [
    "an I-frame with one byte too few",
    FMP4,
    editSegment("high/iframes.m3u8", 1, ({ byteRange }) => ({
      byteRange: { offsetBytes: 0, lengthBytes: (byteRange?.lengthBytes ?? 0) - 1 },
    })),
    ["i-frame-segments"],
  ],
  [
    "one variant alone, too large for cellular",
    FMP4,
    (folder) => editMain(folder, ({ variants }) => ({ variants: variants.slice(0, 1) })),
    ["variant-for-cellular", "several-variants"],
  ],
  [
    "subtitles without a time stamp",
    FMP4,
    (folder) => writeFileSync(join(folder, "subtitles", "1.vtt"), "WEBVTT\n\n00:07.000 --> 00:08.000\nA line\n"),
    ["subtitle-timestamp-map"],
  ],
  [
    "a packet lost in a transport stream",
    TS,
    (folder) => {
      const path = join(folder, "high", "seg0.ts");
      const bytes = readFileSync(path);
      const at = 188 * Math.floor(bytes.length / 188 / 2);
      writeFileSync(path, Buffer.concat([bytes.subarray(0, at), bytes.subarray(at + 188)]));
    },
    ["continuity"],
  ],
  [
    "sound in the segments of the pictures",
    { ...TS, rungs: [MUXED, LOW] },
    dropFirstIFrames,
    // Room for the run-in of its sound puts its pictures behind those of the other.
    ["separate-audio", "segments-aligned"],
  ],
  ["sound of six channels alone", { ...FMP4, sound: "-c:a aac -b:a 90k -ac 6" }, () => undefined, ["stereo-aac"]],
  [
    "HEVC in a transport stream",
    {
      ...TS,
      rungs: [
        HIGH,
        {
          ...LOW,
          codec: "hvc1.1.6.L60.90",
          encoder:
            "-c:v libx265 -preset ultrafast -x265-params log-level=error:keyint=50:min-keyint=50:scenecut=0:bframes=0:bitrate=55:vbv-maxrate=60:vbv-bufsize=60:level-idc=2.0:open-gop=0",
        },
      ],
    },
    () => undefined,
    ["hevc-in-fmp4"],
  ],
  [
    "a segment without its index",
    FMP4,
    (folder) => {
      const path = join(folder, "low", "seg1.m4s");
      const bytes = readFileSync(path);
      bytes.write("free", bytes.indexOf("moof"));
      writeFileSync(path, bytes);
    },
    ["segments-readable"],
  ],
  [
    "an I-frame playlist that does not say so",
    FMP4,
    editMedia("high/iframes.m3u8", () => ({ isIFramesOnly: false, version: 7 })),
    // As played segments, its ranges lack most of their samples.
    ["segments-readable", "i-frames-only"],
  ],
  [
    "segments that do not begin with an IDR",
    { ...FMP4, rungs: [CUT_ANYWHERE, LOW] },
    dropFirstIFrames,
    ["segments-start-with-idr"],
  ],
  [
    "segments of a transport stream that do not begin with an IDR",
    { ...TS, rungs: [CUT_ANYWHERE, LOW] },
    dropFirstIFrames,
    ["segments-start-with-idr"],
  ],
  [
    "variants whose segments begin at other times",
    { ...FMP4, rungs: [HIGH, { ...LOW, muxer: "-hls_init_time 4" }] },
    (folder) => {
      for (const name of ["index", "iframes"]) {
        editMedia(`low/${name}.m3u8`, () => ({ targetDurationSeconds: 6 }))(folder);
      }
    },
    ["segments-aligned"],
  ],
  [
    "pictures that begin later than the sound, as reordering makes them",
    { ...FMP4, rungs: [HIGH, LOW].map((rung) => ({ ...rung, encoder: rung.encoder.replace("-bf 0", "-bf 2") })) },
    () => undefined,
    ["renditions-start-together"],
  ],
  [
    "a hundred pictures a second",
    {
      ...FMP4,
      rungs: [
        HIGH,
        {
          ...LOW,
          widthPixels: 64,
          heightPixels: 48,
          framesPerSecond: 100,
          codec: "avc1.4d4015",
          encoder: LOW.encoder.replace("-level 1.2 -g 50", "-level 2.1 -g 200"),
        },
      ],
    },
    () => undefined,
    ["frame-rate-limit"],
  ],
  [
    "interlaced pictures",
    {
      ...FMP4,
      rungs: [
        HIGH,
        {
          ...LOW,
          heightPixels: 128,
          codec: "avc1.4d4015",
          encoder: `${LOW.encoder.replace("-level 1.2", "-level 2.1")} -flags +ilme+ildct -x264-params tff=1`,
        },
      ],
    },
    () => undefined,
    ["progressive"],
  ],
  [
    "HDR that is called SDR",
    {
      ...FMP4,
      rungs: [
        HIGH,
        {
          ...LOW,
          codec: "hvc1.2.4.L60.90",
          encoder:
            "-vf setparams=color_primaries=bt2020:color_trc=smpte2084:colorspace=bt2020nc -c:v libx265 -preset ultrafast -tag:v hvc1 -pix_fmt yuv420p10le -x265-params log-level=error:keyint=50:min-keyint=50:scenecut=0:bframes=0:open-gop=0:bitrate=55:vbv-maxrate=60:vbv-bufsize=60:level-idc=2.0",
        },
      ],
    },
    () => undefined,
    ["video-range"],
  ],
];

/** Segments of four seconds, in playlists that say six. */
const SHORT: Recipe = { ...FMP4, rungs: [HIGH, LOW].map((rung) => ({ ...rung, muxer: "-hls_time 4" })) };

/** What is broken, how, and the shoulds that fail for it: no others may. */
export const UNUSUAL: readonly (readonly [
  what: string,
  recipe: Recipe,
  breaks: (folder: string) => void,
  failing: readonly string[],
])[] = [
  [
    "two renditions of one language that players may choose by themselves",
    FMP4,
    (folder) =>
      editMain(folder, ({ renditions }) => ({
        renditions: renditions.flatMap((rendition) => [
          rendition,
          { ...rendition, isDefault: false, name: `${rendition.name}, too` },
        ]),
      })),
    ["rendition-autoselect"],
  ],
  ["a SCORE of one variant alone", FMP4, editFirst(() => ({ score: 1 })), ["scores"]],
  [
    "a small variant in front, and segments that nobody says are independent",
    FMP4,
    (folder) =>
      editMain(folder, ({ variants }) => ({ hasIndependentSegments: false, variants: [...variants].reverse() })),
    ["default-variant", "independent-segments"],
  ],
  [
    "a key frame every three seconds",
    { ...FMP4, rungs: [HIGH, { ...LOW, encoder: LOW.encoder.replace("-g 50", "-g 75") }] },
    () => undefined,
    ["key-frame-interval"],
  ],
  [
    "target durations of eight seconds",
    FMP4,
    (folder) => {
      for (const path of EVERY_PLAYLIST) editMedia(path, () => ({ targetDurationSeconds: 8 }))(folder);
    },
    ["segment-length"],
  ],
  [
    "a segment of eleven times the bytes of the others",
    SHORT,
    (folder) => {
      for (const path of ["high/index", "high/iframes", "low/index", "low/iframes"]) {
        editMedia(`${path}.m3u8`, () => ({ targetDurationSeconds: 6 }))(folder);
      }
      const path = join(folder, "high", "seg1.m4s");
      const box = Buffer.alloc(10 * statSync(path).size);
      box.writeUInt32BE(box.length, 0);
      box.write("free", 4);
      appendFileSync(path, box);
    },
    ["peak-to-average"],
  ],
];
