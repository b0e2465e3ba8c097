import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { reelmill } from "../e2e/workplace.fixture.ts";
import { turnPictures } from "../support/turn-pictures.ts";

const folder = mkdtempSync(join(tmpdir(), "reelmill-settings-"));
const at = (name: string): string => join(folder, name);
const PQ = "setparams=color_primaries=bt2020:color_trc=smpte2084:colorspace=bt2020nc:range=tv";
const X265_PQ = "colorprim=bt2020:transfer=smpte2084:colormatrix=bt2020nc:range=limited";

beforeAll(() => {
  writeFileSync(at("words.srt"), "1\n00:00:00,000 --> 00:00:01,000\nHHHH HHHH\n");
  const black = "-f lavfi -i color=black:s=160x120:r=5:d=1";
  const sounds = "-f lavfi -i sine=440:d=1 -f lavfi -i sine=880:d=1";
  const maps = "-map 0 -map 1 -map 2 -map 3 -metadata:s:a:0 language=deu -metadata:s:a:1 language=fra";
  const codecs = "-c:v libx264 -preset ultrafast -pix_fmt yuv420p -c:a:0 aac -c:a:1 ac3 -c:s srt";
  const purposes = "-disposition:a:0 default -disposition:a:1 comment";
  make(`${black} ${sounds} -i words.srt ${maps} ${codecs} ${purposes}`, "black.mkv");
  const x265 = "-c:v libx265 -preset ultrafast -pix_fmt yuv420p10le -x265-params log-level=error";
  make(`-f lavfi -i testsrc2=s=160x120:r=5:d=1,${PQ} ${x265}:${X265_PQ}`, "high.mkv");
});

afterAll(() => rmSync(folder, { recursive: true, force: true }));

function make(args: string, name: string): void {
  execFileSync("ffmpeg", ["-nostdin", "-y", "-v", "error", ...args.split(" "), at(name)], {
    cwd: folder,
    stdio: "pipe",
  });
}

interface ProbedStream {
  readonly codec_type: string;
  readonly codec_name: string;
  readonly width?: number;
  readonly height?: number;
  readonly pix_fmt?: string;
  readonly color_space?: string;
  readonly color_transfer?: string;
  readonly color_primaries?: string;
  readonly tags?: Readonly<Record<string, string>>;
  readonly disposition?: Readonly<Record<string, number>>;
}

/** Converts with the switches, and gives the streams of the output and its path. */
async function convert(
  source: string,
  switches: readonly string[],
): Promise<{ readonly path: string; readonly streams: readonly ProbedStream[] }> {
  const path = at(`${source}${switches.join("").replaceAll(/\W/g, "")}.mp4`);
  const { status, error } = await reelmill([
    ...["convert", at(source), "--to", "h264", "--preset", "ultrafast", ...switches, "-o", path],
  ]);
  expect({ status, error: status === 0 ? "" : error }).toEqual({ status: 0, error: "" });
  const probed = execFileSync("ffprobe", ["-v", "error", "-show_streams", "-of", "json", path], { encoding: "utf8" });
  return { path, streams: JSON.parse(probed).streams };
}

function kindsOf(streams: readonly ProbedStream[], kind: string): readonly string[] {
  return streams
    .filter(({ codec_type }) => codec_type === kind)
    .map(({ codec_name, tags }) => `${codec_name} ${tags?.["language"] ?? "und"}`);
}

/** Of all pictures, 0 to 255. */
function brightest(path: string): number {
  const output = ["-map", "0:v", "-f", "rawvideo", "-pix_fmt", "gray", "pipe:1"];
  const pixels = execFileSync("ffmpeg", ["-nostdin", "-v", "error", "-i", path, ...output], { maxBuffer: 1 << 26 });
  return pixels.reduce((most, pixel) => Math.max(most, pixel), 0);
}

/** How many columns of the first picture, brought to 640x240, are bright. */
/** From the first column that shows letters to the last, of as wide pictures. */
function brightColumns(path: string): number {
  const [width, height] = [640, 240];
  const output = ["-vf", `scale=${width}:${height}`, "-frames:v", "1", "-f", "rawvideo", "-pix_fmt", "gray", "pipe:1"];
  const pixels = execFileSync("ffmpeg", ["-nostdin", "-v", "error", "-i", path, ...output]);
  const isBright = (_: unknown, x: number): boolean =>
    Array.from({ length: height }).some((_row, y) => (pixels[y * width + x] ?? 0) > 120);
  const columns = Array.from({ length: width });
  return columns.findLastIndex(isBright) - columns.findIndex(isBright);
}

describe("settings of a conversion do what they say", () => {
  it("--tone-map: high dynamic range becomes BT.709", async () => {
    const { streams } = await convert("high.mkv", ["--tone-map"]);
    const bt709 = { color_space: "bt709", color_transfer: "bt709", color_primaries: "bt709" };
    expect(streams[0]).toMatchObject({ ...bt709, pix_fmt: "yuv420p" });
  });

  it("--subtitles burn: the words are part of the pictures, and no stream besides", async () => {
    const { path, streams } = await convert("black.mkv", ["--subtitles", "burn", "--audio", "none"]);
    expect(brightest(path)).toBeGreaterThan(180);
    expect(streams).toHaveLength(1);
  });

  it.each([
    ["as they are", "320x240", "2/1", false],
    ["turned", "240x320", "1/2", true],
  ])(
    "--subtitles burn: letters are as wide on samples that are not square, %s",
    async (how, size, aspect, isToTurn) => {
      const burn = async (name: string, pictures: string, isTurned: boolean): Promise<number> => {
        const codecs = "-c:v libx264 -preset ultrafast -pix_fmt yuv420p -c:s mov_text";
        make(`-f lavfi -i color=black:r=5:d=1:s=${pictures} -i words.srt ${codecs}`, `upright-${name}`);
        make(`-i upright-${name} -map 0 -c copy`, name);
        if (isTurned) turnPictures(at(name));
        const { path } = await convert(name, ["--subtitles", "burn", "--audio", "none"]);
        return brightColumns(path);
      };
      const square = await burn(`square-${isToTurn}.mp4`, "640x240,setsar=1", false);
      expect(square, how).toBeGreaterThan(40);
      const wide = await burn(`wide-${isToTurn}.mp4`, `${size},setsar=${aspect}`, isToTurn);
      expect(Math.abs(wide / square - 1)).toBeLessThan(0.1);
    },
  );

  it("--subtitles drop, --audio none: neither words nor sound", async () => {
    const { path, streams } = await convert("black.mkv", ["--subtitles", "drop", "--audio", "none"]);
    expect(brightest(path)).toBeLessThan(40);
    expect(streams.map(({ codec_type }) => codec_type)).toEqual(["video"]);
  });

  it("--audio-tracks: those alone, and subtitles are kept where nothing else is said", async () => {
    const { streams } = await convert("black.mkv", ["--audio-tracks", "1"]);
    expect(kindsOf(streams, "audio")).toEqual(["aac fra"]);
    expect(kindsOf(streams, "subtitle")).toHaveLength(1);
  });

  it("--audio copy: sound as it was, of a codec that would be encoded otherwise, and what it is for", async () => {
    const { streams } = await convert("black.mkv", ["--audio", "copy"]);
    expect(kindsOf(streams, "audio")).toEqual(["aac deu", "ac3 fra"]);
    const sounds = streams.filter(({ codec_type }) => codec_type === "audio");
    expect(sounds.map(({ disposition }) => [disposition?.["default"], disposition?.["comment"]])).toEqual([
      [1, 0],
      [0, 1],
    ]);
  });

  it("--bit-depth 10, --upscale: more bits, and larger pictures", async () => {
    const larger = ["--height", "240", "--upscale", "--audio", "none"];
    const { streams } = await convert("black.mkv", ["--to", "hevc", "--bit-depth", "10", ...larger]);
    expect(streams[0]).toMatchObject({ codec_name: "hevc", pix_fmt: "yuv420p10le", width: 320, height: 240 });
  });
});
