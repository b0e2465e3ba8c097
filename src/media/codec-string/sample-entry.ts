import { parseAvcConfiguration } from "../h264/avc-configuration.ts";
import type { SampleEntry } from "../isobmff/movie.ts";
import { parseVp9Configuration } from "../vp9/configuration.ts";
import { av1CodecString } from "./av1.ts";
import { avcCodecString } from "./avc.ts";
import { hevcCodecString } from "./hevc.ts";
import { mp4aCodecString } from "./mp4a.ts";
import { vp9CodecString } from "./vp9.ts";

/** Formats whose fourcc is the whole string. */
const PLAIN_FORMATS: Readonly<Record<string, string>> = {
  "ac-3": "ac-3",
  "ec-3": "ec-3",
  Opus: "Opus",
  fLaC: "fLaC",
  alac: "alac",
  wvtt: "wvtt",
};

/**
 * The codec string of an MP4 sample entry (RFC 6381), out of its decoder configuration. Undefined where the format is not one
 * that HLS carries or its configuration is missing. Throws MEDIA_MALFORMED where the configuration is broken.
 */
export function sampleEntryCodecString({ format, children }: SampleEntry): string | undefined {
  const payload = (type: string): Uint8Array | undefined => children.get(type);
  switch (format) {
    case "avc1":
    case "avc3": {
      const avcC = payload("avcC");
      return avcC && avcCodecString(parseAvcConfiguration(avcC), format);
    }
    case "hvc1":
    case "hev1": {
      const hvcC = payload("hvcC");
      return hvcC && hevcCodecString(hvcC, format);
    }
    case "av01": {
      const av1C = payload("av1C");
      return av1C && av1CodecString(av1C);
    }
    case "vp09": {
      const vpcC = payload("vpcC");
      return vpcC && vp9CodecString(parseVp9Configuration(vpcC));
    }
    case "mp4a": {
      const esds = payload("esds");
      return esds && mp4aCodecString(esds);
    }
    default:
      return PLAIN_FORMATS[format];
  }
}
