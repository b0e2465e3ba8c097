import { describe, expect, it } from "vitest";
import type { HardwareFamily, VideoCodec } from "./encoder-wish.ts";
import { HARDWARE_ORDER, hardwareCandidate } from "./hardware-encoders.ts";

function argumentsOf(family: HardwareFamily, codec: VideoCodec, quality: number | undefined, bitDepth: 8 | 10): string {
  const { arguments: args } = hardwareCandidate(family, {
    ...{ codec, quality, bitDepth, speed: "standard", hardware: family },
  });
  return args.join(" ");
}

describe("hardwareCandidate", () => {
  it.each([
    ["nvenc", "h264", "-c:v h264_nvenc -rc vbr -b:v 0 -cq 23 -preset p5"],
    ["nvenc", "av1", "-c:v av1_nvenc -rc vbr -b:v 0 -cq 30 -preset p5"],
    ["qsv", "h264", "-c:v h264_qsv -global_quality 23 -preset medium"],
    ["vaapi", "h264", "-c:v h264_vaapi -rc_mode CQP -qp 23"],
    ["vaapi", "hevc", "-c:v hevc_vaapi -rc_mode CQP -qp 28 -tag:v hvc1"],
    ["vaapi", "av1", "-c:v av1_vaapi -rc_mode CQP -global_quality 121"],
    ["videotoolbox", "h264", "-c:v h264_videotoolbox -q:v 60"],
  ] as const)("gives %s for %s its constant quality", (family, codec, expected) => {
    expect(argumentsOf(family, codec, undefined, 8)).toBe(expected);
  });

  it("keeps quality within each encoder's range, and in order", () => {
    const ranges = { nvenc: [1, 51], qsv: [1, 255], vaapi: [1, 255], videotoolbox: [1, 100] } as const;
    for (const family of HARDWARE_ORDER) {
      for (const codec of ["h264", "hevc", "vp9", "av1"] as const) {
        const last = codec === "h264" || codec === "hevc" ? 51 : 63;
        const values = Array.from({ length: last + 1 }, (_, quality) => {
          const wish = { codec, quality, speed: "fast", bitDepth: 8, hardware: family } as const;
          return hardwareCandidate(family, wish).settings.quality;
        });
        const [least, most] = ranges[family];
        expect(Math.min(...values)).toBeGreaterThanOrEqual(least);
        expect(Math.max(...values)).toBeLessThanOrEqual(most);
        const better = family === "videotoolbox" ? values.toReversed() : values;
        expect(better).toEqual(better.toSorted((a, b) => a - b));
      }
    }
  });

  it("hands over pictures in the depth wished, on the device where the encoder wants them there", () => {
    const wish = { codec: "hevc", speed: "standard", hardware: "auto" } as const;
    const filters = HARDWARE_ORDER.map((family) => hardwareCandidate(family, { ...wish, bitDepth: 10 }).filter);
    expect(filters).toEqual(["format=p010le", "format=p010le", "format=p010le", "format=p010le,hwupload"]);
    expect(hardwareCandidate("vaapi", { ...wish, bitDepth: 8 }).globalArguments).toContain("-filter_hw_device");
  });
});
