import { execFileSync } from "node:child_process";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { compareMedia } from "../convert/compare.ts";
import { type Media, readMedia } from "../convert/read-media.ts";
import { createPackages, type Packaged } from "./package.fixture.ts";

const packages = createPackages();

/** The first variant and the first sound of a package, in one file. */
async function readPackage({ folder, main }: Packaged): Promise<Media> {
  const [variant, sound] = [main.variants[0], main.renditions.find(({ type }) => type === "AUDIO")];
  const media = [variant?.uri, sound?.uri].map((uri) => join(folder, uri ?? "", "..", "media.mp4"));
  const path = join(folder, "both.mp4");
  const maps = ["-map", "0:v", "-map", "1:a", "-c", "copy"];
  execFileSync("ffmpeg", ["-v", "error", "-nostdin", ...media.flatMap((input) => ["-i", input]), ...maps, path]);
  return await readMedia(path);
}

describe("the largest rung and the sound of a package", () => {
  it.each(["late-audio-mp4", "late-audio-ts", "rotated", "vfr-mp4", "languages"])(
    "show each picture of %s once, in order, with sound in step",
    async (id) => {
      const made = await packages.make(packages.source(id), { thumbnails: false });
      const { pictures, sounds } = compareMedia(await readMedia(packages.source(id)), await readPackage(made));
      expect(pictures).toMatchObject({ lost: [], doubled: [], backwards: [], outputCount: pictures.sourceCount });
      expect(pictures.worstPsnrDb).toBeGreaterThan(22);
      expect(pictures.spacingErrorMs).toBeLessThan(0.1);
      const [sound] = sounds;
      expect(sound?.offsetsMs.length).toBeGreaterThan(2);
      for (const offset of sound?.offsetsMs ?? []) expect(Math.abs(offset)).toBeLessThan(1);
      expect(sound?.likeness).toBeGreaterThan(0.8);
    },
  );
});
