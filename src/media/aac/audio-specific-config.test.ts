import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { ReelmillError } from "../../base/errors.ts";
import { parseAudioSpecificConfig, serializeAudioSpecificConfig } from "./audio-specific-config.ts";
import { parseElementaryStreamDescriptor } from "./elementary-stream-descriptor.ts";

const hex = (text: string): Uint8Array => Uint8Array.from(text.match(/../g) ?? [], (pair) => Number.parseInt(pair, 16));

describe("parseAudioSpecificConfig", () => {
  it("reads plain LC", () => {
    expect(parseAudioSpecificConfig(hex("1190"))).toEqual({
      objectType: 2,
      rateIndex: 3,
      samplingRateHz: 48000,
      channelConfiguration: 2,
      frameLengthSamples: 1024,
      extension: "none",
    });
  });

  it("reads hierarchical SBR and PS as the type underneath", () => {
    expect(parseAudioSpecificConfig(hex("2b920800"))).toMatchObject({
      objectType: 2,
      samplingRateHz: 22050,
      extension: "sbr",
      extensionRateHz: 44100,
    });
    expect(parseAudioSpecificConfig(hex("eb8a0800"))).toMatchObject({
      objectType: 2,
      channelConfiguration: 1,
      extension: "ps",
      extensionRateHz: 44100,
    });
  });

  it("reads backward compatible SBR and its absence", () => {
    expect(parseAudioSpecificConfig(hex("139056e5a0"))).toMatchObject({ extension: "sbr", extensionRateHz: 44100 });
    expect(parseAudioSpecificConfig(hex("139056e500"))).toMatchObject({ extension: "none" });
    expect(parseAudioSpecificConfig(hex("138856e5a54880"))).toMatchObject({ extension: "ps", extensionRateHz: 44100 });
  });

  it("reads a program where the channel configuration is 0", () => {
    const config = parseAudioSpecificConfig(hex("118004c848002000c4400d4c61766335392e33372e31303056e500"));
    expect(config.program?.elements).toEqual([
      { id: 1, tag: 0 },
      { id: 0, tag: 0 },
      { id: 0, tag: 1 },
      { id: 1, tag: 1 },
      { id: 0, tag: 2 },
    ]);
  });

  it("maps an explicit rate to the tables of the nearest index", () => {
    // Type 2, index 15, 44056 Hz, stereo.
    expect(parseAudioSpecificConfig(hex("1780560c10"))).toMatchObject({ samplingRateHz: 44056, rateIndex: 4 });
  });

  it("names what is wrong", () => {
    expect(() => parseAudioSpecificConfig(hex("1690"))).toThrow(/sampling frequency index 13/);
    expect(() => parseAudioSpecificConfig(hex("11"))).toThrow(ReelmillError);
  });

  it("returns what was serialized", () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 4 }),
        fc.integer({ min: 0, max: 12 }),
        fc.integer({ min: 1, max: 7 }),
        fc.constantFrom(960 as const, 1024 as const),
        (objectType, rateIndex, channelConfiguration, frameLengthSamples) => {
          const config = { objectType, rateIndex, channelConfiguration, frameLengthSamples };
          expect(parseAudioSpecificConfig(serializeAudioSpecificConfig(config))).toMatchObject(config);
        },
      ),
    );
    const impossible = { objectType: 2, rateIndex: 13, channelConfiguration: 2, frameLengthSamples: 1024 } as const;
    expect(() => serializeAudioSpecificConfig(impossible)).toThrow(/rate index 13/);
  });

  it("survives any bytes", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 40 }), (bytes) => {
        try {
          parseAudioSpecificConfig(bytes);
        } catch (error) {
          expect(error).toBeInstanceOf(ReelmillError);
        }
      }),
    );
  });
});

describe("parseElementaryStreamDescriptor", () => {
  const configOf = (payload: Uint8Array) => parseElementaryStreamDescriptor(payload)?.decoderSpecificInfo;
  const versionAndFlags = [0, 0, 0, 0];
  const decoderFields = [0x40, 0x15, ...new Uint8Array(11)];
  const syncLayer = [6, 1, 2];

  it("walks the descriptors with long and short lengths", () => {
    const long = [
      3,
      128,
      128,
      128,
      37,
      0,
      1,
      0,
      4,
      128,
      128,
      128,
      20,
      ...decoderFields,
      5,
      128,
      128,
      128,
      2,
      0x11,
      0x90,
    ];
    const payload = Uint8Array.from([...versionAndFlags, ...long, ...syncLayer]);
    expect(configOf(payload)).toEqual(hex("1190"));
    expect(parseElementaryStreamDescriptor(payload)?.objectTypeIndication).toBe(0x40);
    const short = [3, 25, 0, 1, 0, 4, 17, ...decoderFields, 5, 2, 0x11, 0x90, ...syncLayer];
    expect(configOf(Uint8Array.from([...versionAndFlags, ...short]))).toEqual(hex("1190"));
    expect(configOf(Uint8Array.from(short))).toEqual(hex("1190"));
  });

  it("passes over the optional fields of a stream", () => {
    const stream = [3, 40, 0, 1, 0xe0, 0, 9, 3, 97, 98, 99, 0, 7, 4, 17, ...decoderFields, 5, 2, 0x12, 0x10];
    expect(configOf(Uint8Array.from([...versionAndFlags, ...stream]))).toEqual(hex("1210"));
  });

  it("cuts lengths that reach past the box", () => {
    const tooLong = [3, 127, 0, 1, 0, 4, 127, ...decoderFields, 5, 2, 0x11, 0x90];
    expect(configOf(Uint8Array.from([...versionAndFlags, ...tooLong]))).toEqual(hex("1190"));
  });

  it("survives any bytes", () => {
    fc.assert(fc.property(fc.uint8Array({ maxLength: 80 }), (bytes) => void configOf(bytes)));
  });
});
