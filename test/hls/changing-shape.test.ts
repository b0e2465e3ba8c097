import { join } from "node:path";
import { expect, it } from "vitest";
import { makeChanging, squareAspect } from "../support/changing-shape.ts";
import { createPackages } from "./package.fixture.ts";

const packages = createPackages();
const LADDER = { rungs: [180, 90].map((height) => ({ height, kbps: 4 * height })) };

it.each([[{}], [{ spanSeconds: 1 }]])(
  "squares stay square where the pictures change their shape, and the report says so (%j)",
  async (placing) => {
    const input = makeChanging(packages.root, "turned.ts", "libx264 -preset ultrafast -g 5", [
      { width: 320, height: 180, aspect: 1, square: 100 },
      { width: 180, height: 320, aspect: 1, square: 100 },
    ]);
    const settings = { ladder: LADDER, thumbnails: false };
    const { folder, main, failed, report } = await packages.make(input, settings, undefined, placing);
    expect(failed).toEqual([]);
    expect(report.findings).toContain(
      "The pictures change their shape on the way: those of another than the first ones' stand between black bars.",
    );
    for (const { uri, resolution } of main.variants) {
      if (resolution === undefined) continue;
      const media = join(folder, uri, "..", "media.mp4");
      for (const seconds of [0.5, 1.5]) expect(Math.abs(squareAspect(media, seconds) - 1), uri).toBeLessThan(0.1);
    }
  },
);
