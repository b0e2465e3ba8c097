import { describe, expect, it } from "vitest";
import { requireFfmpeg } from "../../ffmpeg/programs.ts";
import { chooseRungEncoders, planKeyPictures } from "./plan-encoders.ts";

const MILLISECONDS = { numerator: 1, denominator: 1000 };

function every(ms: number, count: number): readonly number[] {
  return Array.from({ length: count }, (_, index) => Math.round(index * ms));
}

describe("planKeyPictures", () => {
  it("counts two seconds of pictures, whole ticks notwithstanding", () => {
    expect(planKeyPictures(every(1000 / 29.97, 900), MILLISECONDS, 0)).toBe(60);
    expect(planKeyPictures(every(40, 10), MILLISECONDS, 0)).toBe(50);
    expect(planKeyPictures([0], MILLISECONDS, 0)).toBe(1);
    expect(planKeyPictures([], MILLISECONDS, 50)).toBe(100);
  });

  it("refuses rates that vary, and times that nobody knows", () => {
    const slower = [...every(20, 200), ...every(60, 200).map((at) => at + 4000)];
    expect(() => planKeyPictures(slower, MILLISECONDS, 0)).toThrow(expect.objectContaining({ code: "PARAMS_INVALID" }));
    expect(() => planKeyPictures([], MILLISECONDS, 0)).toThrow(/not known/);
  });
});

it("names a device that is not there only where somebody asked for it", async () => {
  const tools = await requireFfmpeg(process.env);
  const { signal } = new AbortController();
  const choose = async (hardware: "auto" | "videotoolbox"): Promise<readonly string[]> => {
    const wish = { codecs: ["h264" as const], speed: "fast" as const, preset: undefined, hardware };
    return (await chooseRungEncoders(wish, null, { tools, signal })).findings;
  };
  expect(await choose("auto")).toEqual([]);
  if (process.platform === "linux")
    expect((await choose("videotoolbox")).join(" ")).toMatch(/h264_videotoolbox.* is used instead\./);
});

it("refuses a device, named, where no rung is of H.264", async () => {
  const tools = await requireFfmpeg(process.env);
  const wish = { codecs: ["hevc" as const], speed: "fast" as const, preset: undefined, hardware: "nvenc" as const };
  await expect(chooseRungEncoders(wish, null, { tools, signal: new AbortController().signal })).rejects.toMatchObject({
    code: "PARAMS_INVALID",
    message: expect.stringMatching(/^hardware is nvenc, .* codecs has hevc\.$/),
  });
});
