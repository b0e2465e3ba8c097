import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { createAacProbe } from "./aac-probe.ts";
import { type AudioSpecificConfig, parseAudioSpecificConfig } from "./audio-specific-config.ts";
import { choicesFrom, FrameWriter } from "./frame-writer.fixture.ts";

const configOf = (word: number, frameLengthSamples: 960 | 1024 = 1024): AudioSpecificConfig => ({
  ...parseAudioSpecificConfig(Uint8Array.of(word >> 8, word & 0xff)),
  frameLengthSamples,
});

describe("RawDataBlockParser", () => {
  const cases = [
    { name: "stereo", config: configOf(0x1190), elements: [[1, 0]] },
    { name: "stereo 960", config: configOf(0x1194, 960), elements: [[1, 3]] },
    {
      name: "mono with fill and data",
      config: configOf(0x1288),
      elements: [
        [0, 0],
        [6, 7],
        [4, 2],
        [6, 40],
      ],
    },
    {
      name: "8 kHz 5.1",
      config: configOf(0x15b0),
      elements: [
        [0, 0],
        [1, 0],
        [6, 0],
        [1, 1],
        [3, 0],
      ],
    },
    {
      name: "own program with coupling",
      config: {
        ...configOf(0x1188),
        channelConfiguration: 0,
        program: {
          objectTypeIndex: 1,
          rateIndex: 3,
          elements: [
            { id: 0, tag: 0 },
            { id: 1, tag: 0 },
            { id: 3, tag: 0 },
          ],
          couplingTags: [4],
        },
      },
      elements: [
        [5, 0],
        [0, 0],
        [1, 0],
        [2, 4],
        [3, 0],
      ],
    },
  ] satisfies { name: string; config: AudioSpecificConfig; elements: [number, number][] }[];

  it.each(cases)("finds the end of any valid frame: $name", ({ config, elements }) => {
    const probe = createAacProbe(config);
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 2 ** 31 - 1 }), (seed) => {
        const frame = new FrameWriter(config, choicesFrom(seed)).frame(elements);
        const limit = 1024 * elements.filter(([id]) => id < 4).length;
        fc.pre(frame.length <= limit);
        const followed = Uint8Array.from([...frame, 0x5a, 0xff, 0x00]);
        expect(probe.probe(followed, 0, followed.length)).toMatchObject({ kind: "packet", sizeBytes: frame.length });
        expect(probe.probe(frame, 0, frame.length - 1).kind).toBe("more");
      }),
      { numRuns: 60 },
    );
  });

  it("never throws and never reads past the end, whatever the bytes", () => {
    const probes = cases.map(({ config }) => createAacProbe(config));
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 1, maxLength: 300 }), fc.nat(300), (bytes, end) => {
        const cut = bytes.slice(0, end);
        for (const probe of probes) {
          // What lies past the end makes no difference.
          expect(probe.probe(bytes, 0, end)).toEqual(probe.probe(cut, 0, cut.length));
        }
      }),
      { numRuns: 300 },
    );
  });

  it("refuses what breaks the rules of the configuration", () => {
    const stereo = configOf(0x1190);
    const probe = createAacProbe(stereo);
    const padded = (frame: Uint8Array): Uint8Array => Uint8Array.from([...frame, ...new Uint8Array(9000)]);
    for (const elements of [
      [[0, 0]],
      [
        [1, 0],
        [1, 1],
      ],
      [
        [1, 0],
        [3, 0],
      ],
      [
        [1, 0],
        [2, 0],
      ],
      [[6, 3]],
    ] as [number, number][][]) {
      const bytes = padded(new FrameWriter(stereo, choicesFrom(7)).frame(elements));
      expect(probe.probe(bytes, 0, bytes.length)).toEqual({ kind: "no" });
    }
  });

  it("believes a frame little that a data stream element leads", () => {
    const stereo = configOf(0x1190);
    const bytes = new FrameWriter(stereo, choicesFrom(3)).frame([
      [4, 0],
      [1, 0],
    ]);
    const answer = createAacProbe(stereo).probe(bytes, 0, bytes.length);
    expect(answer.kind === "packet" && answer.evidenceBits).toBeLessThanOrEqual(11);
  });
});
