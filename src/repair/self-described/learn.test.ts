import { describe, expect, it } from "vitest";
import { createMemorySource } from "../../media/bytes/byte-source.ts";
import { boxAt, compare, makeClip, packetsOf, written } from "../clips.fixture.ts";
import { repairSource } from "../repair-source.ts";

const repair = (bytes: Uint8Array) => repairSource(createMemorySource(bytes), []);
const withoutIndex = (clip: Uint8Array): Uint8Array => clip.slice(0, boxAt(clip, "mdat").end);

describe("a recording that describes itself", () => {
  const coded = [
    {
      name: "in-band H.264 and AAC",
      options: "-c:v libx264 -preset ultrafast -x264-params repeat-headers=1:keyint=30 -c:a aac",
      ending: "mp4",
    },
    {
      name: "in-band HEVC and AAC",
      options: "-c:v libx265 -preset ultrafast -x265-params repeat-headers=1:log-level=error -c:a aac",
      ending: "mp4",
    },
    { name: "Motion JPEG and AC-3", options: "-c:v mjpeg -c:a ac3", ending: "mov" },
    { name: "Motion JPEG and MP3", options: "-c:v mjpeg -c:a libmp3lame", ending: "mov" },
    { name: "AAC alone", options: "-map 1:a -c:a aac", ending: "mp4" },
  ];
  for (const { name, options, ending } of coded) {
    it(`is recovered without a reference: ${name}`, async () => {
      const clip = makeClip(options, ending);
      const damaged = withoutIndex(clip);
      const outcome = await repair(damaged);
      const result = compare(clip, written(damaged, outcome));
      expect(result).toMatchObject({ kept: packetsOf(clip).length, foreign: 0 });
      // The first sound may be priming that only the lost edit list told of.
      expect(result.worstSeconds).toBeLessThan(0.1);
    });
  }

  for (const { name, options } of [
    { name: "ProRes", options: "-c:v prores_ks -profile:v 1 -c:a pcm_s16le" },
    { name: "DNxHR", options: "-c:v dnxhd -profile:v dnxhr_lb -pix_fmt yuv422p -s 640x360 -c:a pcm_s16le" },
  ]) {
    it(`is recovered without a reference: ${name} and PCM`, async () => {
      const clip = makeClip(options, "mov", 2);
      const { report } = await repair(withoutIndex(clip));
      const [video, sound] = report.tracks;
      expect(video).toMatchObject({ packets: 60, timing: "other-clock" });
      expect(video?.durationSeconds).toBeCloseTo(2, 2);
      expect(sound).toMatchObject({ codec: "pcm_s16le", packets: 96_000 });
    });
  }

  it("in H.264 without parameter sets needs a reference, and the message says what was seen", async () => {
    const clip = makeClip("-c:v libx264 -preset ultrafast -c:a aac");
    await expect(repair(withoutIndex(clip))).rejects.toMatchObject({
      code: "REFERENCE_REQUIRED",
      message: expect.stringContaining("H.264 video in length-prefixed NAL units"),
    });
  });
});
