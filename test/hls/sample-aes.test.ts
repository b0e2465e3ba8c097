import { execFileSync, spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { createAvcLayout, createHevcLayout } from "../../src/media/cenc/nal-layout.ts";
import { createSampleKey } from "../../src/pipelines/hls/encrypt.ts";
import { encryptSamples } from "../../src/pipelines/hls/encrypt-samples.ts";
import { indexFile } from "../../src/pipelines/hls/index-file.ts";
import { readSamples } from "./cbcs.fixture.ts";

const KEY = Buffer.from("000102030405060708090a0b0c0d0eff", "hex");
const folder = mkdtempSync(join(tmpdir(), "reelmill-cbcs-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const FRAGMENTS = ["-movflags", "+delay_moov+default_base_moof+skip_trailer+frag_keyframe", "-f", "mp4"];
const PICTURES = ["-f", "lavfi", "-i", "testsrc2=s=320x180:r=25:d=3,noise=alls=30:allf=t", "-pix_fmt", "yuv420p"];
const X264 = ["-c:v", "libx264", "-preset", "veryfast", "-g", "25", "-x264-params"];
const X265 = ["-c:v", "libx265", "-g", "25", "-tag:v", "hvc1", "-preset", "ultrafast", "-x265-params"];
const AOM = ["-c:v", "libaom-av1", "-cpu-used", "8", "-g", "25", "-b:v", "300k", "-usage", "realtime"];

const ENCODINGS: Readonly<Record<string, readonly string[]>> = {
  "H.264, four slices": [...PICTURES, ...X264, "slices=4:bframes=0"],
  "H.264, CAVLC, B-frames": [...PICTURES, ...X264, "cabac=0:bframes=2:weightp=2"],
  "HEVC, wavefronts": [...PICTURES, ...X265, "log-level=error:bframes=0:wpp=1:ctu=16"],
  "HEVC, two slices": [...PICTURES, ...X265, "log-level=error:slices=2:bframes=3:ctu=16"],
  AV1: [...PICTURES, "-c:v", "libsvtav1", "-preset", "12", "-g", "25", "-b:v", "300k"],
  "AV1, four tiles": [...PICTURES, ...AOM, "-tiles", "2x2"],
  AAC: [..."-f lavfi -i anoisesrc=d=3 -c:a aac -ac 2".split(" "), "-frag_duration", "1000000"],
};

let fileCount = 0;

function encode(name: string): string {
  const path = join(folder, `encoded-${fileCount++}.mp4`);
  execFileSync("ffmpeg", ["-nostdin", "-v", "error", "-y", ...(ENCODINGS[name] ?? []), ...FRAGMENTS, path], {
    env: { ...process.env, SVT_LOG: "1" },
    stdio: ["ignore", "ignore", "inherit"],
  });
  return path;
}

async function encrypt(path: string): Promise<{ readonly clear: Buffer; readonly encrypted: Buffer }> {
  const target = `${path}.encrypted`;
  const encryption = { method: "sample-aes", key: KEY, keyUri: "k", keyId: Buffer.alloc(16, 9) } as const;
  const { signal } = new AbortController();
  const key = createSampleKey(encryption);
  await encryptSamples({ path, index: indexFile(path) }, target, { encryption, key }, signal);
  return { clear: readFileSync(path), encrypted: readFileSync(target) };
}

/** What ffmpeg makes of a file of one fragment: a digest of all that it decodes. It gets lost where several are encrypted. */
function decoded(bytes: readonly Buffer[], key?: Buffer): string {
  const path = join(folder, "one.mp4");
  writeFileSync(path, Buffer.concat(bytes));
  const given = key === undefined ? [] : ["-decryption_key", key.toString("hex")];
  const made = spawnSync("ffmpeg", ["-nostdin", "-v", "error", ...given, "-i", path, "-f", "md5", "-"]);
  return `${made.stdout}${made.stderr}`;
}

describe.each(Object.keys(ENCODINGS))("encrypted samples: %s", (name) => {
  it("decrypt to the very bytes by the rules of cbcs, and to the very pictures or sounds by ffmpeg", async () => {
    const { clear, encrypted } = await encrypt(encode(name));
    const [before, after, raw] = [readSamples(clear), readSamples(encrypted, KEY), readSamples(encrypted)];
    expect(before.samples.length).toBeGreaterThan(70);
    expect(after.samples).toEqual(before.samples);
    // Pictures that are but references to others hold nothing to encrypt.
    const large = raw.samples.filter(({ length }) => length > 200);
    expect(large.length).toBeGreaterThan(20);
    for (const [index, sample] of raw.samples.entries()) {
      expect(sample.length > 200 && before.samples[index]?.equals(sample)).toBe(false);
    }
    for (const [index, fragment] of after.fragments.entries()) {
      const wanted = decoded([before.initialization, before.fragments[index] ?? Buffer.alloc(0)]);
      expect(wanted).toMatch(/^MD5=\w{32}\n$/);
      expect(decoded([after.initialization, fragment], KEY)).toBe(wanted);
    }
    const [first = Buffer.alloc(0)] = after.fragments;
    const wanted = decoded([after.initialization, first], KEY);
    expect(decoded([after.initialization, first], Buffer.alloc(16, 1))).not.toBe(wanted);
  });
});

describe("tiles of AV1", () => {
  it.each([
    ["AV1", 1],
    ["AV1, four tiles", 4],
  ])("are protected in whole blocks, each by itself: %s", async (name, tiles) => {
    const { encrypted } = await encrypt(encode(name));
    const { subsamples, samples } = readSamples(encrypted);
    for (const [index, told] of subsamples.entries()) {
      const isProtected = told.filter(([, bytes]) => bytes > 0);
      expect(isProtected.every(([, bytes]) => bytes % 16 === 0)).toBe(true);
      expect(isProtected.length % tiles === 0 || isProtected.length < tiles).toBe(true);
      // Headers and what is no whole block of a tile.
      const clearBytes = told.reduce((sum, [clear]) => sum + clear, 0);
      expect(clearBytes).toBeLessThan(Math.min(samples[index]?.length ?? 0, 200) + 1);
    }
    expect(Math.max(...subsamples.map((told) => told.length))).toBeGreaterThanOrEqual(tiles);
  });
});

/** Where ffmpeg's own parser sees the headers of slices end, in bits of each NAL unit without emulation prevention. */
function headerEnds(path: string, title: string): readonly number[] {
  const tracing = ["-nostdin", "-hide_banner", "-i", path, "-c", "copy", "-bsf:v", "trace_headers", "-f", "null", "-"];
  const lines = spawnSync("ffmpeg", tracing, { encoding: "utf8", maxBuffer: 1 << 28 }).stderr.split("\n");
  const ends: number[] = [];
  let isSlice = false;
  for (const line of lines) {
    const [, text = ""] = line.split(/\[trace_headers @ \w+\] /);
    const [, at, bits] = /^(\d+) +\S+ +([01]+) = /.exec(text) ?? [];
    if (at === undefined || bits === undefined) {
      isSlice = text === title;
      if (isSlice) ends.push(0);
    } else if (isSlice) ends[ends.length - 1] = Number(at) + bits.length;
  }
  return ends;
}

function withoutEscapes(bytes: Buffer): number {
  let escapes = 0;
  for (let at = 2; at < bytes.length; at++) {
    if (bytes[at] === 3 && bytes[at - 1] === 0 && bytes[at - 2] === 0) escapes++;
  }
  return bytes.length - escapes;
}

describe("clear bytes of slices", () => {
  it.each([
    ["H.264, four slices", "avcC", "Slice Header", createAvcLayout, (first: number) => [1, 5].includes(first & 31)],
    ["H.264, CAVLC, B-frames", "avcC", "Slice Header", createAvcLayout, (first: number) => [1, 5].includes(first & 31)],
    ["HEVC, wavefronts", "hvcC", "Slice Segment Header", createHevcLayout, (first: number) => first >> 1 < 32],
    ["HEVC, two slices", "hvcC", "Slice Segment Header", createHevcLayout, (first: number) => first >> 1 < 32],
  ] as const)("end with their headers: %s", (name, box, title, createLayout, isSlice) => {
    const path = encode(name);
    const bytes = readFileSync(path);
    const at = bytes.indexOf(box);
    const layout = createLayout(bytes.subarray(at + 4, at - 4 + bytes.readUInt32BE(at - 4)));
    const found: number[] = [];
    for (const sample of readSamples(bytes).samples) {
      for (let index = 0; index < sample.length; ) {
        const nal = sample.subarray(index, index + 4 + sample.readUInt32BE(index));
        index += nal.length;
        const [{ clearBytes } = { clearBytes: 0 }, ...more] = layout(nal);
        expect(more).toEqual([]);
        if (!isSlice(nal[4] as number)) expect(clearBytes).toBe(nal.length);
        else found.push(clearBytes === nal.length ? -1 : withoutEscapes(nal.subarray(4, clearBytes)));
      }
    }
    const wanted = headerEnds(path, title).map((bits) => Math.ceil(bits / 8));
    expect(found.length).toBeGreaterThan(70);
    // Slices with less than a block of data are clear as a whole.
    expect(found).toEqual(wanted.map((bytesOfHeader, index) => (found[index] === -1 ? -1 : bytesOfHeader)));
    expect(found.filter((end) => end > 0).length).toBeGreaterThan(60);
  });
});

describe("a file whose samples are not understood", () => {
  it("is refused, not left clear", async () => {
    const path = encode("H.264, four slices");
    const bytes = readFileSync(path);
    const { samples } = readSamples(bytes);
    const at = bytes.indexOf(samples[30] ?? Buffer.alloc(1));
    // first_mb_in_slice, a number with 24 leading zero bits: far behind the picture.
    bytes.set([0x41, 0, 0, 0, 0xff], at + 4);
    writeFileSync(path, bytes);
    await expect(encrypt(path)).rejects.toMatchObject({ code: "MEDIA_MALFORMED" });
  });
});
