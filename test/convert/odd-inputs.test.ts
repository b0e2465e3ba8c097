import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { createServer, type Server } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { reelmill } from "../e2e/workplace.fixture.ts";
import { dropTransportPackets } from "../support/lose-packets.ts";
import { turnPictures } from "../support/turn-pictures.ts";

const folder = mkdtempSync(join(tmpdir(), "reelmill-odd-"));
const at = (name: string): string => join(folder, name);
/** Matroska's element of a track (RFC 9559 §5.1.4.1.14); with another last byte, nobody knows it. */
const DEFAULT_DURATION = Buffer.from([0x23, 0xe3, 0x83]);
const QUICK = ["--preset", "ultrafast"];
let server: Server;
let port = 0;
let visits = 0;

beforeAll(async () => {
  make(
    "-f lavfi -i testsrc2=s=160x120:r=25:d=2 -f lavfi -i sine=d=2 -c:v libx264 -preset ultrafast -c:a aac",
    "clip.mp4",
  );
  server = createServer((socket) => {
    visits++;
    socket.destroy();
  });
  await new Promise<void>((resolve) => {
    server.listen(0, "127.0.0.1", resolve);
  });
  const address = server.address();
  port = typeof address === "object" && address !== null ? address.port : 0;
});

afterAll(() => {
  server.close();
  rmSync(folder, { recursive: true, force: true });
});

function make(args: string, name: string): string {
  const words = args.split(" ");
  execFileSync("ffmpeg", ["-nostdin", "-y", "-v", "error", ...words, at(name)], { cwd: folder, stdio: "pipe" });
  return at(name);
}

/** What ffprobe prints of a stream's fields. */
function probe(path: string, fields: string, select = "v:0"): string {
  const args = ["-v", "error", "-select_streams", select, "-show_entries", fields, "-of", "csv=p=0", path];
  return execFileSync("ffprobe", args, { encoding: "utf8" }).trim();
}

async function convert(...args: string[]): Promise<{ readonly status: number | null; readonly said: string }> {
  const { status, output, error } = await reelmill(["convert", ...args]);
  return { status, said: `${output}${error}` };
}

describe("converting what is unusual", () => {
  it("does not follow a playlist that calls itself a recording", async () => {
    mkdirSync(at("secret"));
    make("-i clip.mp4 -c copy -f mpegts", "secret/other.ts");
    const lists = {
      "list.mp4": "#EXTM3U\n#EXT-X-TARGETDURATION:2\n#EXTINF:2,\nsecret/other.ts\n#EXT-X-ENDLIST\n",
      "concat.mp4": "ffconcat version 1.0\nfile secret/other.ts\n",
      "net.mp4": `#EXTM3U\n#EXT-X-TARGETDURATION:2\n#EXTINF:2,\nhttp://127.0.0.1:${port}/a.ts\n#EXT-X-ENDLIST\n`,
    };
    for (const [name, text] of Object.entries(lists)) {
      writeFileSync(at(name), text);
      expect(await convert(at(name), "--to", "h264")).toMatchObject({
        status: 1,
        said: expect.stringContaining("INPUT_NOT_VIDEO"),
      });
    }
    expect(visits).toBe(0);
  });

  it("says of what cannot be opened that it may be mended, and of what has no data that no picture could be read", async () => {
    make("-i clip.mp4 -c copy -movflags +faststart", "whole.mov");
    const whole = readFileSync(at("whole.mov"));
    writeFileSync(at("no-data.mov"), whole.subarray(0, whole.indexOf("mdat") + 4));
    const noData = await convert(at("no-data.mov"), "--to", "h264");
    expect(noData).toMatchObject({ status: 1, said: expect.stringContaining("INPUT_NOT_VIDEO") });
    expect(noData.said).toContain(`No picture of ${at("no-data.mov")} could be read`);
    // Its moov stands at the end.
    writeFileSync(at("cut"), readFileSync(at("clip.mp4")).subarray(0, 2000));
    const cut = await convert(at("cut"), "--to", "h264");
    expect(cut).toMatchObject({ status: 1, said: expect.stringContaining("INPUT_NOT_VIDEO") });
    expect(cut.said).toContain(`\`reelmill repair ${at("cut")}\` may mend it`);
    expect(cut.said).not.toContain(" @ 0x");
  });

  it("burns subtitles of a file whose name looks like an address, and visits none", async () => {
    writeFileSync(at("words.srt"), "1\n00:00:00,100 --> 00:00:01,800\nHello\n");
    const name = `http:127.0.0.1:${port}?x' [a],b;.mkv`;
    make("-i clip.mp4 -i words.srt -c copy -c:s srt", "plain.mkv");
    writeFileSync(at(name), readFileSync(at("plain.mkv")));
    const args = ["--to", "h264", ...QUICK, "--subtitles", "burn", "-o", at("burnt.mp4")];
    expect(await convert(at(name), ...args)).toMatchObject({ status: 0 });
    expect(visits).toBe(0);
  });

  it("makes another rate of an AVI file without doubling times", async () => {
    make("-i clip.mp4 -an -c:v mpeg4", "slow.avi");
    expect(
      await convert(at("slow.avi"), "--to", "h264", ...QUICK, "--frame-rate", "50", "-o", at("fast.mp4")),
    ).toMatchObject({
      status: 0,
    });
    const times = probe(at("fast.mp4"), "packet=pts_time")
      .split("\n")
      .map(Number)
      .sort((a, b) => a - b);
    expect(new Set(times).size).toBe(times.length);
    for (const [index, time] of times.entries()) expect(time - (times[0] ?? 0)).toBeCloseTo(index / 50, 5);
  });

  it.each(["0", "0/1", "1/0", "999999/1"])("refuses %s pictures a second", async (rate) => {
    expect(await convert(at("clip.mp4"), "--to", "h264", "--frame-rate", rate)).toMatchObject({
      status: 2,
      said: expect.stringContaining("must be from 1 to 300"),
    });
  });

  it("refuses an even rate where a time is wrong by days, before it makes a picture for each moment of them", async () => {
    make("-i clip.mp4 -an -c copy -bsf:v setts=ts=TS+gte(N\\,30)*400000/TB", "days.mkv");
    const even = await convert(at("days.mkv"), "--to", "h264", ...QUICK, "--frame-rate", "50", "-o", at("days.mp4"));
    expect(even).toMatchObject({ status: 1, said: expect.stringContaining("(INPUT_TOO_LONG)") });
    expect(even.said).toContain("16777216 are the most");
  });

  it.each([
    ["h264", "mp4", "veryfast"],
    ["hevc", "mp4", "ultrafast"],
    ["vp9", "webm", "8"],
  ])("shows the last picture for as long as the recording does: %s", async (to, container, preset) => {
    const last = "setts=pts=PTS:dts=DTS:duration=if(eq(N\\,49)\\,3/TB\\,DURATION)";
    const still = make(`-i clip.mp4 -an -c copy -bsf:v ${last}`, "still.mp4");
    expect(Number(probe(still, "format=duration"))).toBeCloseTo(49 / 25 + 3, 2);
    const output = at(`still_${to}.${container}`);
    await convert(still, "--to", to, "--reencode", "--preset", preset, "-o", output);
    expect(Number(probe(output, "format=duration"))).toBeCloseTo(49 / 25 + 3, 2);
  });

  it("sends to repair with a recording that was cut short among its fragments", async () => {
    make("-i clip.mp4 -c copy -movflags frag_keyframe+empty_moov+default_base_moof", "whole-fragments.mp4");
    const bytes = readFileSync(at("whole-fragments.mp4"));
    writeFileSync(at("fragments.mp4"), bytes.subarray(0, Math.floor(bytes.length * 0.8)));
    const told = /cut short: `reelmill repair/;
    const cut = await convert(at("fragments.mp4"), "--to", "h264", ...QUICK, "--reencode", "-o", at("f.mp4"));
    expect(cut).toEqual({ status: 0, said: expect.stringMatching(told) });
    const healthy = await convert(
      at("whole-fragments.mp4"),
      "--to",
      "h264",
      ...QUICK,
      "--reencode",
      "-o",
      at("f2.mp4"),
    );
    expect(healthy).toEqual({ status: 0, said: expect.not.stringMatching(told) });
    const copied = await convert(at("fragments.mp4"), "--to", "h264", "-o", at("f3.mp4"));
    expect(copied).toEqual({ status: 1, said: expect.stringMatching(/cut short: `reelmill repair .*fragments\.mp4`/) });
  });

  it.each(["mkv", "avi"])(
    "tells of a recording in %s that it was cut short, and nothing of a whole one",
    async (kind) => {
      const whole = make("-i clip.mp4 -c:v mpeg4 -c:a libmp3lame", `whole.${kind}`);
      const bytes = readFileSync(whole);
      writeFileSync(at(`half.${kind}`), bytes.subarray(0, bytes.length / 2));
      const half = await convert(at(`half.${kind}`), "--to", "h264", ...QUICK, "-o", at(`half-${kind}.mp4`));
      expect(half).toEqual({
        status: 0,
        said: expect.stringContaining("The recording was cut short: its file ends before"),
      });
      const all = await convert(whole, "--to", "h264", ...QUICK, "-o", at(`all-${kind}.mp4`));
      expect(all).toEqual({ status: 0, said: expect.not.stringContaining("cut short") });
    },
  );

  it("refuses MPEG-TS that was joined byte by byte, in which times begin anew", async () => {
    make("-i clip.mp4 -c copy", "part.ts");
    const part = readFileSync(at("part.ts"));
    writeFileSync(at("joined.ts"), Buffer.concat([part, part]));
    const { status, said } = await convert(at("joined.ts"), "--to", "h264", ...QUICK, "-o", at("joined.mp4"));
    expect([status, said]).toEqual([1, expect.stringMatching(/joined\.ts jump back by 1\.8\d s.*INPUT_DISCONTINUOUS/)]);
    execFileSync("ffmpeg", ["-v", "error", "-i", at("joined.ts"), "-map", "0", "-c", "copy", at("anew.mkv")]);
    expect((await convert(at("anew.mkv"), "--to", "h264", ...QUICK, "-o", at("anew.mp4"))).status).toBe(0);
    expect(Number(probe(at("anew.mp4"), "format=duration"))).toBeCloseTo(4, 0);
  });

  it.each([
    ["24", 26],
    ["30000/1001", 32],
    ["60", 32],
  ])("ends WebM's pictures where a whole millisecond does, at %s a second", async (rate, pictures) => {
    const name = `ms-${rate.replace("/", "-")}`;
    const input = make(`-f lavfi -i testsrc2=s=64x48:r=${rate} -frames:v ${pictures} -preset ultrafast`, `${name}.mp4`);
    const output = at(`${name}.webm`);
    const { said } = await convert(input, "--to", "vp9", "--preset", "8", "-o", output);
    expect(said).toContain("times passed");
    expect(Number(probe(output, "format=duration"))).toBeCloseTo(Number(probe(input, "format=duration")), 2);
  });

  it("publishes nothing whose last picture ends at another time than the recording's", async () => {
    const last = "setts=pts=PTS:dts=DTS:duration=if(eq(N\\,49)\\,3/TB\\,DURATION)";
    const still = make(`-i clip.mp4 -an -c copy -bsf:v ${last}`, "held.mp4");
    const forgetful = at("forgetful-ffmpeg");
    const script =
      'for a do shift; case $a in setts=*) a=setts=pts=PTS:dts=DTS:duration=1;; esac; set -- "$@" "$a"; done; exec ffmpeg "$@"';
    writeFileSync(forgetful, `#!/bin/sh\n${script}\n`, { mode: 0o755 });
    const args = ["convert", still, "--to", "h264", "--reencode", "--preset", "veryfast", "-o", at("held_h264.mp4")];
    const { status, error } = await reelmill(args, { environment: { ...process.env, REELMILL_FFMPEG: forgetful } });
    expect([status, error]).toEqual([
      1,
      expect.stringMatching(/the last one ends \d+\.\d+ ms early.*OUTPUT_NOT_VERIFIED/),
    ]);
    expect(readdirSync(folder)).not.toContain("held_h264.mp4");
  });

  it("keeps the shape of pictures that are turned and not square", async () => {
    make("-i clip.mp4 -vf setsar=4/3 -c:v libx264 -preset ultrafast -an", "wide.mp4");
    turnPictures(make("-i wide.mp4 -c copy", "turned.mp4"));
    await convert(at("turned.mp4"), "--to", "h264", ...QUICK, "--height", "120", "-o", at("small.mp4"));
    expect(probe(at("small.mp4"), "stream=width,height,sample_aspect_ratio")).toBe("90,120,3:4");
  });

  it("turns pictures upright where the container knows no rotation", async () => {
    make("-i clip.mp4 -an -c:v libvpx-vp9 -deadline realtime -cpu-used 8", "flat.mp4");
    turnPictures(make("-i flat.mp4 -c copy", "side.mp4"));
    const { status } = await convert(at("side.mp4"), "--to", "vp9", "--speed", "fast", "-o", at("up.webm"));
    expect([status, probe(at("up.webm"), "stream=width,height")]).toEqual([0, "120,160"]);
  });

  it("gives copied HEVC the name that players know", async () => {
    make("-i clip.mp4 -an -c:v libx265 -preset ultrafast -x265-params log-level=error", "h.mkv");
    const { status, said } = await convert(at("h.mkv"), "--to", "hevc", "-o", at("h.mp4"));
    expect([status, said.includes("copied"), probe(at("h.mp4"), "stream=codec_tag_string")]).toEqual([0, true, "hvc1"]);
  });

  it("copies the last picture of Matroska that tells no picture's length", async () => {
    // Nor do its pictures tell a rate that is believed.
    const unsteady = "-vf select=mod(n\\,7)-3,setpts=PTS+0.007*sin(N)/TB -fps_mode passthrough";
    make(`-i clip.mp4 -an ${unsteady} -bf 2 -c:v libx264 -preset ultrafast`, "unsteady.mkv");
    const path = make("-i unsteady.mkv -c copy -bsf:v h264_metadata=tick_rate=2000", "lengths.mkv");
    const bytes = readFileSync(path);
    const length = bytes.indexOf(DEFAULT_DURATION);
    expect(length).toBeGreaterThan(0);
    bytes[length + 2] = 0x84;
    writeFileSync(path, bytes);
    const { status, said } = await convert(path, "--to", "h264", "-o", at("lengths.mp4"));
    expect({ status, said }).toMatchObject({ status: 0, said: expect.stringContaining("were copied") });
  });

  it("encodes what cannot be copied, because its packets have no times", async () => {
    make("-i clip.mp4 -an -c:v copy -bsf:v h264_mp4toannexb -f h264", "raw.h264");
    const { status, said } = await convert(at("raw.h264"), "--to", "h264", "-o", at("raw.mp4"));
    expect({ status, said }).toMatchObject({ status: 0, said: expect.stringContaining("does not tell when") });
  });

  it("converts what is left of a file that was cut off", async () => {
    make("-i clip.mp4 -c copy -movflags +faststart", "cut.mp4");
    truncateSync(at("cut.mp4"), Math.floor(readFileSync(at("cut.mp4")).length * 0.6));
    const { status, said } = await convert(at("cut.mp4"), "--to", "h264", ...QUICK, "-o", at("rest.mp4"));
    expect({ status, said }).toMatchObject({ status: 0, said: expect.stringContaining("sound begins and ends") });
    expect(said).toContain(" x real time)");
  });

  it("converts a capture that lost its signal for a moment, behind which the decoder gives a picture another's time", async () => {
    const source = "-f lavfi -i testsrc2=s=320x180:r=25:d=12 -f lavfi -i sine=d=12";
    const path = make(`${source} -c:v libx264 -preset veryfast -g 60 -pix_fmt yuv420p -c:a aac`, "capture.ts");
    dropTransportPackets(path, 0.45, 0.5);
    const { status, said } = await convert(path, "--to", "h264", "--reencode", ...QUICK, "-o", at("capture.mp4"));
    expect({ status, said }).toMatchObject({ status: 0, said: expect.stringContaining("could not be decoded") });
    const times = probe(at("capture.mp4"), "packet=pts").match(/^\d+/gm) ?? [];
    expect(new Set(times).size).toBe(times.length);
    expect(said).toContain(`${times.length} pictures of`);
    const copied = await convert(path, "--to", "h264", "-o", at("copied-capture.mp4"));
    expect(copied).toMatchObject({ status: 0, said: expect.stringContaining("were copied") });
    expect(copied.said).toMatch(/decode warning: \d+ pictures decoded of \d+, as of the source/);
  });

  it("encodes a capture that begins within a group of pictures, of which a copy would lack the beginning", async () => {
    const source = "-f lavfi -i testsrc2=s=160x120:r=25:d=4 -c:v libx264 -preset ultrafast -g 40 -pix_fmt yuv420p";
    const path = make(source, "late-key.ts");
    dropTransportPackets(path, 0, 0.2);
    const { status, said } = await convert(path, "--to", "h264", "-o", at("late-key.mp4"));
    const told =
      "Some pictures stand before the first one that decoding can begin at, so that they cannot be copied: all were encoded.";
    expect({ status, said }).toMatchObject({ status: 0, said: expect.stringContaining(told) });
  });

  it("encodes sound that could be copied but for some of it that is damaged", async () => {
    const path = make("-i clip.mp4 -c copy", "spoilt-sound.ts");
    const bytes = readFileSync(path);
    // The second PID that ffmpeg gives is the sound's; each packet of MPEG-TS has 188 bytes, of which the first four are its header.
    const starts = Array.from({ length: bytes.length / 188 }, (_, index) => 188 * index);
    const sound = starts.filter((start) => (bytes.readUInt16BE(start + 1) & 0x1fff) === 0x101);
    for (const start of sound.filter((_, index) => index % 3 === 1)) bytes.fill(0xa5, start + 40, start + 188);
    writeFileSync(path, bytes);
    const { status, said } = await convert(path, "--to", "h264", ...QUICK, "-o", at("spoilt-sound.mp4"));
    expect({ status, said }).toMatchObject({ status: 0, said: expect.stringContaining("The sound was encoded: some") });
    expect(probe(at("spoilt-sound.mp4"), "stream=codec_name", "a:0")).toBe("aac");
  });

  it("refuses a name that is not of the container's kind", async () => {
    expect(await convert(at("clip.mp4"), "--to", "vp9", "-o", at("x.mp4"))).toMatchObject({
      status: 2,
      said: expect.stringContaining("must end in .webm"),
    });
  });

  it("tells of a folder among the inputs before it asks for another name", async () => {
    mkdirSync(at("clips"));
    for (const output of ["mixout", "mixout.mkv"]) {
      const { status, said } = await convert(at("clips"), "--to", "hevc", "-o", at(output));
      expect([status, said]).toEqual([1, expect.stringContaining("clips is a folder")]);
    }
    const several = await convert(at("clip.mp4"), at("clips"), "--to", "hevc", "-o", at("mixout.mp4"));
    expect(several).toEqual({ status: 1, said: expect.stringContaining("(INPUT_IS_DIRECTORY)") });
  });

  it.each([
    ["hevc", "99", "--quality: 99 must be a number from 0 to 51 for hevc"],
    ["hevc", "60", "--quality: 60 must be a number from 0 to 51 for hevc"],
    ["h264", "-1", "--quality: -1 must be a number from 0 to 51 for h264"],
    ["av1", "30.5", "--quality: 30.5 must be a whole number from 0 to 63 for av1"],
  ])("refuses qualities that a codec has not: %s, %s", async (to, quality, message) => {
    const refused = await convert(at("clip.mp4"), "--to", to, "--quality", quality);
    expect(refused).toEqual({ status: 2, said: expect.stringContaining(message) });
  });

  it("does not make a folder of a name for one file", async () => {
    const { status, said } = await convert(at("clip.mp4"), at("h.mkv"), "--to", "h264", "-o", at("both.mp4"));
    expect([status, said]).toEqual([2, expect.stringMatching(/both\.mp4 names a file, but 2 recordings/)]);
    const rate = await convert(at("clip.mp4"), "--to", "h264", "--frame-rate", "1000", "-o", at("fast.mp4"));
    expect(rate).toEqual({ status: 2, said: expect.stringMatching(/must be like 25, .*from 1 to 300[^;]*$/) });
    expect(readdirSync(folder)).not.toContain("both.mp4");
  });

  it("names switches, not params, and leaves nothing half-written", async () => {
    expect(await convert(at("clip.mp4"), "--to", "vp9", "--audio-tracks", "3", "-o", at("x.webm"))).toMatchObject({
      status: 1,
      said: expect.stringContaining("--audio-tracks names sound track 3"),
    });
    expect(readdirSync(folder).filter((name) => name.startsWith(".") || name === "x.webm")).toEqual([]);
  });

  it("takes the first channels of those that nobody can mix, and tells of channels that do not come out", async () => {
    const sines = (count: number): string =>
      Array.from({ length: count }, (_, index) => `0.1*sin(${1000 + 300 * index}*t)`).join("|");
    const pictures = "-f lavfi -i testsrc2=s=160x120:r=25:d=1";
    const of = (count: number): string =>
      make(`${pictures} -f lavfi -i aevalsrc=${sines(count)}:d=1 -c:v libx264 -c:a pcm_s16le`, `${count}.mov`);
    const [unknown, many] = [of(11), of(24)];
    const lost = /Sound track 0 has 11 channels, and nobody knows where they sound.*: the first 8 come out\./;
    const first = await convert(unknown, "--to", "h264", ...QUICK, "-o", at("eleven.mp4"));
    expect(first).toEqual({ status: 0, said: expect.stringMatching(lost) });
    expect(probe(at("eleven.mp4"), "stream=channels", "a:0")).toBe("8");
    const mixed = await convert(many, "--to", "h264", ...QUICK, "-o", at("many.mp4"));
    expect(mixed).toEqual({
      status: 0,
      said: expect.stringContaining("Sound track 0 has 24 channels: 8 come out."),
    });
    const packed = await reelmill(["hls", unknown, "--speed", "fast", "-o", at("eleven")]);
    expect(packed.status, packed.error).toBe(0);
    expect(packed.output).toMatch(/Sound track 0 has 11 channels, .*: the first 2 come out\./);
  });

  it.each(["flac", "alac", "libopus", "dca", "libmp3lame", "ac3"])(
    "copies sound of %s into MP4, where it is asked to",
    async (encoder) => {
      make(`-i clip.mp4 -c:v copy -c:a ${encoder} -ar 48000 -ac 2 -strict -2`, `${encoder}.mkv`);
      const copied = await convert(at(`${encoder}.mkv`), "--to", "h264", "--audio", "copy");
      expect(copied).toMatchObject({ status: 0 });
      const codec = probe(at(`${encoder}.mkv`), "stream=codec_name", "a:0").replace(",", "");
      expect(probe(at(`${encoder}_h264.mp4`), "stream=codec_name", "a:0")).toContain(codec);
    },
  );

  it("keeps the names that MP4 gives to tracks, and has nothing to say of chapters, which it keeps", async () => {
    const chapters = ";FFMETADATA1\n[CHAPTER]\nTIMEBASE=1/1\nSTART=0\nEND=1\ntitle=One\n";
    writeFileSync(at("chapters.txt"), chapters);
    const names = "-metadata:s:a:0 handler_name=Kommentar -metadata:s:a:1 handler_name=SoundHandler";
    const path = make(`-i clip.mp4 -i chapters.txt -map 0 -map 0:a -map_chapters 1 -c copy ${names}`, "named.mp4");
    for (const [to, name, field] of [
      ["h264", "named_h264.mp4", "handler_name"],
      ["vp9", "named_vp9.webm", "title"],
    ] as const) {
      const { status, said } = await convert(path, "--to", to, "--speed", "fast", "--reencode", "-o", at(name));
      expect([status, said]).toEqual([0, expect.not.stringContaining("Left out")]);
      expect(probe(at(name), `stream_tags=${field}`, "a:0")).toBe("Kommentar");
      expect(probe(at(name), "stream_tags=title", "a:1")).toBe("");
      expect(execFileSync("ffprobe", ["-v", "error", "-show_chapters", at(name)], { encoding: "utf8" })).toContain(
        "=One",
      );
    }
  });

  it("takes animated PNG, which opens no other file", async () => {
    make("-f lavfi -i testsrc2=s=64x48:r=10:d=1 -plays 0", "moving.apng");
    const { status, said } = await convert(at("moving.apng"), "--to", "h264", ...QUICK, "-o", at("moving.mp4"));
    expect([status, said]).toEqual([0, expect.stringContaining("10 pictures, as the source")]);
  });

  it("counts sound tracks as --audio-tracks does", async () => {
    make("-i clip.mp4 -map 0:v -map 0:a -c:v copy -c:a pcm_s16le", "pcm.mov");
    expect(await convert(at("pcm.mov"), "--to", "h264", "--audio", "copy")).toMatchObject({
      status: 1,
      said: expect.stringContaining("mp4 does not hold pcm_s16le, which sound track 0 has"),
    });
  });
});
