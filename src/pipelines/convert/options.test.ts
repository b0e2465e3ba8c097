import { expect, it } from "vitest";
import { convertPipeline } from "./pipeline.ts";

it.each([
  ["audioBitrate and audio", { audioBitrate: 96, audio: "copy" }],
  ["audioBitrate and audio", { audioBitrate: 96, audio: "none" }],
  ["audioTracks and audio", { audioTracks: [1], audio: "none" }],
  ["upscale, width and height", { upscale: true }],
])("refuses a job whose %s do not go together, naming them: %j", (names, settings) => {
  const submit = (): unknown => convertPipeline.parseParams({ input: "uploads/a.mp4", to: "h264", ...settings });
  const code = expect.objectContaining({ code: "PARAMS_INVALID" });
  expect(submit).toThrow(code);
  for (const name of names.split(/, | and /)) expect(submit).toThrow(new RegExp(`\\b${name}\\b`));
});

it.each([
  [{ audioBitrate: 96 }],
  [{ audioTracks: [1], audio: "copy" }],
  [{ targetSize: "60000" }],
  [{ upscale: true, width: 1280 }],
  [{ upscale: true, height: 720 }],
])("takes a job with %j", (settings) => {
  expect(convertPipeline.parseParams({ input: "uploads/a.mp4", to: "h264", ...settings })).toMatchObject(settings);
});
