import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type AacFrame, isLegalWindowTransition } from "./aac-frame.ts";
import { createAacProbe } from "./aac-probe.ts";
import { parseAdtsHeader } from "./adts-header.ts";
import { parseAudioSpecificConfig, serializeAudioSpecificConfig } from "./audio-specific-config.ts";

/** Tone, sweep, noise bursts, clicks and a second of silence. */
const SOUND =
  "0.4*sin(2764*t)*lt(t\\,1.2)+0.3*sin(11121*t*(1+0.1*t))*lt(t\\,1)+0.5*random(0)*between(mod(t\\,2)\\,0.5\\,0.7)" +
  "+0.9*lt(mod(t\\,0.5)\\,0.003)*lt(t\\,1)";
const SECOND = "0.3*sin(2073*t)*lt(t\\,1.2)+0.1*random(1)*lt(t\\,0.8)";

interface Case {
  readonly rateHz: number;
  readonly layout: "mono" | "stereo" | "5.1";
  readonly options: readonly string[];
  /** What ffmpeg 5.1 made of it: newer ones have no encoder of this profile. */
  readonly recorded?: string;
}

const CASES: readonly Case[] = [
  { rateHz: 8000, layout: "mono", options: ["-b:a", "24k"] },
  { rateHz: 22050, layout: "stereo", options: ["-b:a", "48k", "-aac_coder", "fast"] },
  { rateHz: 44100, layout: "stereo", options: ["-b:a", "32k"] },
  {
    rateHz: 44100,
    layout: "stereo",
    options: ["-b:a", "96k", "-profile:a", "aac_main"],
    recorded: "main-profile.fixture.aac",
  },
  {
    rateHz: 44100,
    layout: "stereo",
    options: ["-b:a", "160k", "-profile:a", "aac_ltp", "-strict", "-2"],
    recorded: "ltp-profile.fixture.aac",
  },
  { rateHz: 48000, layout: "mono", options: ["-b:a", "320k"] },
  { rateHz: 48000, layout: "5.1", options: ["-b:a", "320k"] },
  { rateHz: 96000, layout: "stereo", options: ["-b:a", "256k", "-aac_pns", "0"] },
];
const CHANNEL_CONFIGURATION = { mono: 1, stereo: 2, "5.1": 6 } as const;

describe("createAacProbe on ffmpeg's frames", () => {
  let folder = "";
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), "reelmill-aac-"));
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  it.each(CASES)("finds the end of each frame: $rateHz Hz $layout $options", (made) => {
    const { frames, config } = encode(folder, made);
    expect(frames.length).toBeGreaterThan(12);
    const probe = createAacProbe(config);
    // All frames in one go, then junk: each frame is followed by other data.
    const bytes = Uint8Array.from([...frames.flatMap((frame) => [...frame]), ...new Uint8Array(64).fill(0xa5)]);
    let at = 0;
    let previous: AacFrame | undefined;
    for (const frame of frames) {
      const answer = probe.parseFrame(bytes, at, bytes.length);
      if (answer.kind !== "frame") throw new Error(`Frame at ${at} is answered with ${answer.kind}.`);
      expect(answer.sizeBytes).toBe(frame.length);
      expect(answer.durationSamples).toBe(1024);
      expect(previous === undefined || isLegalWindowTransition(previous.windowSequence, answer.windowSequence)).toBe(
        true,
      );
      expect(probe.parseFrame(bytes, at, at + frame.length)).toEqual(answer);
      expect(probe.parseFrame(bytes, at, at + frame.length - 1).kind).toBe("more");
      at += frame.length;
      previous = answer;
    }
  });
});

describe("createAacProbe", () => {
  const stereo = createAacProbe(parseAudioSpecificConfig(Uint8Array.of(0x11, 0x90)));

  it("takes the short frames of silence", () => {
    const mono = createAacProbe(parseAudioSpecificConfig(Uint8Array.of(0x11, 0x88)));
    expect(mono.probe(Uint8Array.of(0x01, 0x18, 0x20, 0x07), 0, 4)).toMatchObject({ kind: "packet", sizeBytes: 4 });
    const frame = Uint8Array.of(0x21, 0x10, 0x04, 0x60, 0x8c, 0x1c);
    expect(stereo.probe(frame, 0, 6)).toMatchObject({ kind: "packet", sizeBytes: 6, isSync: true });
  });

  it("gives bounds only for object types that it does not parse", () => {
    const eld = createAacProbe({ ...parseAudioSpecificConfig(Uint8Array.of(0x11, 0x90)), objectType: 39 });
    expect(eld.isExact).toBe(false);
    expect(eld.probe(Uint8Array.of(1, 2, 3), 0, 3)).toMatchObject({ kind: "open", minSizeBytes: 1, evidenceBits: 0 });
  });

  it("reaches n bits of evidence in random bytes no more often than once in 2^n", () => {
    const bytes = randomBytes(400_000);
    const counts = new Uint32Array(64);
    for (let i = 0; i < 390_000; i++) {
      const answer = stereo.probe(bytes, i, bytes.length);
      if (answer.kind !== "packet") continue;
      for (let bits = 0; bits <= answer.evidenceBits; bits++) counts[bits] = (counts[bits] ?? 0) + 1;
    }
    counts.forEach((count, bits) => {
      expect(count).toBeLessThanOrEqual(390_000 / 2 ** bits + 3);
    });
  });
});

/** Encodes two seconds, in ADTS. */
function encodeAdts(folder: string, { rateHz, layout, options }: Case): Uint8Array {
  const file = join(folder, "sound.aac");
  const channels =
    layout === "mono" ? [SOUND] : layout === "stereo" ? [SOUND, SECOND] : [SOUND, SECOND, SOUND, SECOND, SOUND, SECOND];
  const source = `aevalsrc=${channels.join("|")}:s=${rateHz}:d=2:c=${layout}`;
  execFileSync("ffmpeg", ["-v", "error", "-y", "-f", "lavfi", "-i", source, "-c:a", "aac", ...options, file]);
  return new Uint8Array(readFileSync(file));
}

/** The raw frames of two seconds of sound, and the configuration that an MP4 would hold. */
function encode(folder: string, made: Case) {
  const { layout, recorded } = made;
  const bytes =
    recorded === undefined
      ? encodeAdts(folder, made)
      : new Uint8Array(readFileSync(join(import.meta.dirname, recorded)));
  const frames: Uint8Array[] = [];
  let objectType = 2;
  let rateIndex = 0;
  for (let at = 0; at < bytes.length; ) {
    const header = parseAdtsHeader(bytes, at);
    if (header === undefined) throw new Error(`ffmpeg wrote no ADTS header at ${at}.`);
    frames.push(bytes.subarray(at + header.headerBytes, at + header.sizeBytes));
    at += header.sizeBytes;
    objectType = header.objectType;
    rateIndex = header.rateIndex;
  }
  const channelConfiguration = CHANNEL_CONFIGURATION[layout];
  const config = { objectType, rateIndex, channelConfiguration, frameLengthSamples: 1024 } as const;
  return { frames, config: parseAudioSpecificConfig(serializeAudioSpecificConfig(config)) };
}

/** The same bytes in every run: a linear congruential generator's upper bits. */
function randomBytes(length: number): Uint8Array {
  let state = 12345;
  return Uint8Array.from({ length }, () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state >>> 24;
  });
}
