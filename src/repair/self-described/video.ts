import type { ByteWindow } from "../../media/bytes/byte-window.ts";
import { DNXHD_HEADER_BYTES, parseDnxhdHeader } from "../../media/dnxhd/coding-unit.ts";
import { createJpegMp4Entry, createVisualEntry } from "../../media/isobmff/create-entry.ts";
import { createMjpegProbe, readJpegSize } from "../../media/mjpeg/mjpeg-probe.ts";
import {
  PRORES_HEADER_BYTES,
  type ProresFrameHeader,
  parseProresFrameHeader,
} from "../../media/prores/frame-header.ts";
import { findAv1Video } from "./av1-video.ts";
import { findNalVideo } from "./nal-video.ts";
import { ASSUMED_RATE, type GuessedVideo } from "./profile.ts";

/** Longest JPEG that is looked at whole for its size. */
const MAX_JPEG_BYTES = 16 * 1024 * 1024;
const HEADER_LOOK_BYTES = 1024;

/** The video that the bytes at `offset` (before `limit`) start and describe; undefined for any other bytes. */
export function findVideoAt(
  window: ByteWindow,
  offset: number,
  limit: number,
  isQuickTime: boolean,
): GuessedVideo | undefined {
  const visible = Math.min(window.load(offset, HEADER_LOOK_BYTES), limit - offset);
  const index = offset - window.baseOffset;
  const bytes = window.bytes;
  if (visible < DNXHD_HEADER_BYTES) return undefined;
  switch (bytes[index]) {
    case 0xff:
      return bytes[index + 1] === 0xd8 && bytes[index + 2] === 0xff
        ? findJpeg(window, offset, limit, isQuickTime)
        : undefined;
    case 0x0a:
      return findAv1Video(bytes.subarray(index, index + visible));
    case 0:
      return (
        findDnxhd(bytes, index) ?? findProres(bytes, index) ?? findNalVideo(bytes.subarray(index, index + visible))
      );
    default:
      return findProres(bytes, index);
  }
}

/** Bits per macroblock up to which a 4:2:2 frame is Proxy, LT or plain 422 (Apple ProRes white paper, target rates). */
const PRORES_BITS = [
  { format: "apco", most: 300 },
  { format: "apcs", most: 510 },
  { format: "apcn", most: 750 },
] as const;
/** SMPTE RDD 36 Table 4, frame_rate_code from 1 on, as pictures in 1001 or 1000 parts of a second. */
const PRORES_RATES: readonly (readonly [number, number])[] = [
  [24_000, 1001],
  [24_000, 1000],
  [25_000, 1000],
  [30_000, 1001],
  [30_000, 1000],
  [50_000, 1000],
  [60_000, 1001],
  [60_000, 1000],
  [100_000, 1000],
  [120_000, 1001],
  [120_000, 1000],
];

function findProres(bytes: Uint8Array, index: number): GuessedVideo | undefined {
  if (bytes[index + 4] !== 0x69 || index + PRORES_HEADER_BYTES > bytes.length) return undefined;
  const header = parseProresFrameHeader(bytes, index);
  if (header === undefined) return undefined;
  const { widthPixels, heightPixels } = header;
  const told = PRORES_RATES[header.frameRateCode - 1];
  return {
    name: `ProRes video, ${widthPixels}×${heightPixels}`,
    entry: createVisualEntry({
      format: proresFormat(header),
      widthPixels,
      heightPixels,
      depthBits: header.alphaType > 0 ? 32 : 24,
    }),
    rate: told ? { timescale: told[0], ticks: told[1], isAssumed: false } : ASSUMED_RATE,
    delayPictures: 0,
  };
}

/** Frames do not name their profile; decoders do not need it, editors show it. */
function proresFormat({ chroma, widthPixels, heightPixels, frameSizeBytes }: ProresFrameHeader): string {
  if (chroma === "4:4:4") return "ap4h";
  const bits = (frameSizeBytes * 8) / (Math.ceil(widthPixels / 16) * Math.ceil(heightPixels / 16));
  return PRORES_BITS.find(({ most }) => bits <= most)?.format ?? "apch";
}

const FIRST_DNXHR_ID = 1270;

function findDnxhd(bytes: Uint8Array, index: number): GuessedVideo | undefined {
  const header = parseDnxhdHeader(bytes, index);
  if (header?.frameSizeBytes === undefined) return undefined;
  const { compressionId, widthPixels, unitHeightPixels, isInterlaced } = header;
  const heightPixels = isInterlaced ? unitHeightPixels * 2 : unitHeightPixels;
  const isHr = compressionId >= FIRST_DNXHR_ID;
  return {
    name: `${isHr ? "DNxHR" : "DNxHD"} video, ${widthPixels}×${heightPixels}`,
    entry: createVisualEntry({ format: isHr ? "AVdh" : "AVdn", widthPixels, heightPixels }),
    rate: ASSUMED_RATE,
    delayPictures: 0,
  };
}

function findJpeg(window: ByteWindow, offset: number, limit: number, isQuickTime: boolean): GuessedVideo | undefined {
  const probe = createMjpegProbe();
  let wanted = 64 * 1024;
  while (true) {
    const visible = Math.min(window.load(offset, wanted), limit - offset);
    const index = offset - window.baseOffset;
    const answer = probe.probe(window.bytes, index, index + visible);
    if (answer.kind === "packet") {
      const size = readJpegSize(window.bytes, index, index + visible);
      if (size === undefined || size.heightPixels === 0) return undefined;
      const { widthPixels, heightPixels } = size;
      const entry = isQuickTime
        ? createVisualEntry({ format: "jpeg", ...size })
        : createJpegMp4Entry(widthPixels, heightPixels);
      return { name: `Motion JPEG video, ${widthPixels}×${heightPixels}`, entry, rate: ASSUMED_RATE, delayPictures: 0 };
    }
    if (answer.kind !== "more" || visible >= limit - offset || wanted >= MAX_JPEG_BYTES) return undefined;
    wanted *= 2;
  }
}
