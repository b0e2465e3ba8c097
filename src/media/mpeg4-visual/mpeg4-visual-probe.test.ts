import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { createEncoder } from "../../../test/support/encode.ts";
import { createMpeg4VisualProbe, isExactOn } from "./mpeg4-visual-probe.ts";
import { parseVolConfig, type VolConfig } from "./vol-config.ts";
import { createVopClock, type VopTime } from "./vop-clock.ts";

const encode = createEncoder("mpeg4");
const PICTURE = ["-f", "lavfi", "-i", "testsrc2=s=176x144:r=25:d=0.8", "-pix_fmt", "yuv420p"];
const NOISE = ["-f", "lavfi", "-i", "testsrc2=s=160x96:r=25:d=0.5,noise=alls=60:allf=t", "-pix_fmt", "yuv420p"];
const MPEG4 = ["-c:v", "mpeg4"];

function configOf(bytes: Uint8Array): VolConfig {
  const config = parseVolConfig(bytes, Buffer.from(bytes).indexOf("esds"));
  if (config === undefined) throw new Error("The file has no video object layer.");
  return config;
}

describe("createMpeg4VisualProbe", () => {
  it.each([
    ["p.mp4", [...PICTURE, ...MPEG4, "-q:v", "4"]],
    ["b.mp4", [...PICTURE, ...MPEG4, "-q:v", "3", "-bf", "2", "-g", "30"]],
    ["rate.mp4", [...PICTURE, ...MPEG4, "-b:v", "150k"]],
    ["rd.mp4", [...PICTURE, ...MPEG4, "-mbd", "rd", "-flags", "+mv4+aic", "-bf", "2", "-trellis", "1"]],
    ["quarter.mp4", [...PICTURE, ...MPEG4, "-flags", "+qpel+mv4", "-bf", "1", "-q:v", "5"]],
    ["interlaced.mp4", [...PICTURE, ...MPEG4, "-flags", "+ildct+ilme", "-bf", "2", "-q:v", "4"]],
    ["packets.mp4", [...PICTURE, ...MPEG4, "-ps", "300", "-q:v", "6", "-bf", "2"]],
    ["xvid.mp4", [...PICTURE, "-c:v", "libxvid", "-bf", "2", "-q:v", "4", "-flags", "+mv4"]],
    ["noise.mp4", [...NOISE, ...MPEG4, "-q:v", "1", "-qmin", "1", "-bf", "2"]],
  ])("finds the end of every VOP of %s exactly", (name, args) => {
    const { bytes, packets } = encode(name, ...args);
    const probe = createMpeg4VisualProbe(configOf(bytes));
    // Whatever follows a packet must not matter: here random bytes.
    let seed = 1;
    expect(packets.length).toBeGreaterThan(10);
    for (const { pos, size } of packets) {
      const alone = new Uint8Array(size + 64).map(() => {
        seed = (seed * 1103515245 + 12345) >>> 0;
        return seed >>> 24;
      });
      alone.set(bytes.subarray(pos, pos + size));
      expect(probe.probe(alone, 0, size - 1)).toMatchObject({ kind: "more" });
      expect(probe.probe(alone, 0, alone.length)).toMatchObject({ kind: "packet", sizeBytes: size });
      expect(probe.probe(alone, 0, size)).toMatchObject({ kind: "packet", sizeBytes: size });
    }
  });

  it.each([
    ["partitioned.mp4", [...PICTURE, ...MPEG4, "-data_partitioning", "1", "-ps", "300"]],
    ["gmc.mp4", [...PICTURE, "-c:v", "libxvid", "-gmc", "1"]],
  ])("leaves the end of %s open", (name, args) => {
    const { bytes, packets } = encode(name, ...args);
    const samples = packets.map(({ pos, size }) => bytes.subarray(pos, pos + size));
    expect(isExactOn(configOf(bytes), samples)).toBe(false);
    const probe = createMpeg4VisualProbe(configOf(bytes), { isExact: false });
    for (const { pos, size } of packets) {
      const answer = probe.probe(bytes, pos, pos + 64);
      expect(answer).toMatchObject({ kind: "open" });
      if (answer.kind === "open") expect(answer.maxSizeBytes).toBeGreaterThan(size);
    }
  });

  it("takes a reference and the B-VOP packed behind it as one sample", () => {
    const { bytes, packets } = encode("packed.mp4", ...PICTURE, ...MPEG4, "-bf", "2", "-q:v", "5");
    const probe = createMpeg4VisualProbe(configOf(bytes), { isPacked: true });
    const pieces = packets.slice(0, 7).map(({ pos, size }) => bytes.subarray(pos, pos + size));
    const joined = Buffer.concat(pieces);
    const sizes = pieces.map((piece) => piece.length);
    const [i = 0, p = 0, b = 0, b2 = 0] = sizes;
    expect(probe.probe(joined, 0, joined.length)).toMatchObject({ sizeBytes: i });
    expect(probe.probe(joined, i, joined.length)).toMatchObject({ sizeBytes: p + b });
    expect(probe.probe(joined, i + p + b, joined.length)).toMatchObject({ sizeBytes: b2 });
  });

  it("follows presentation times through B-VOPs", () => {
    const { bytes, packets } = encode("times.mp4", ...PICTURE, ...MPEG4, "-bf", "2", "-g", "12");
    const probe = createMpeg4VisualProbe(configOf(bytes));
    const clock = createVopClock();
    const times = packets.map(({ pos }) => probe.probe(bytes, pos, bytes.length).time as VopTime);
    const ticks = times.map((time) => clock.presentationTicks(time));
    expect(times[0]?.resolution).toBe(25);
    expect([...ticks].sort((a, b) => a - b)).toEqual(ticks.map((_, i) => i + Math.min(...ticks)));
    expect(ticks).not.toEqual([...ticks].sort((a, b) => a - b));
  });

  it("answers on any bytes without throwing", () => {
    const { bytes, packets } = encode("fuzz.mp4", ...NOISE, ...MPEG4, "-bf", "1", "-q:v", "8");
    const config = configOf(bytes);
    const { pos, size } = packets[1] ?? { pos: 0, size: 0 };
    const probe = createMpeg4VisualProbe(config);
    const blind = createMpeg4VisualProbe(undefined);
    fc.assert(
      fc.property(fc.nat(size - 1), fc.nat(255), (at, value) => {
        const damaged = bytes.slice(pos, pos + size);
        damaged[at] = value;
        const answer = probe.probe(damaged, 0, damaged.length);
        expect(answer.kind).toMatch(/^(packet|open|more|no)$/);
      }),
    );
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), (rest) => {
        const random = Uint8Array.of(0, 0, 1, 0xb6, ...rest);
        expect(probe.probe(random, 0, random.length).kind).toMatch(/^(packet|open|more|no)$/);
        expect(blind.probe(random, 0, random.length).kind).toMatch(/^(open|more)$/);
        parseVolConfig(Uint8Array.of(0, 0, 1, 0x20, ...rest));
      }),
    );
  });
});
