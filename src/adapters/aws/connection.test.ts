import { expect, it } from "vitest";
import { translateAwsError } from "./connection.ts";

function refusal(name: string, httpStatusCode: number): Error {
  return Object.assign(new Error("no"), { name, $metadata: { httpStatusCode } });
}

it.each([
  ["PreconditionFailed", 412, "STORE_UNAVAILABLE"],
  ["AccessDenied", 403, "STORE_REFUSED"],
  ["SlowDown", 503, "STORE_UNAVAILABLE"],
  ["NoSuchKey", 404, "OBJECT_NOT_FOUND"],
])("translates %s (%i) to %s", (name, status, code) => {
  expect(translateAwsError("a key", refusal(name, status))).toMatchObject({ code });
});

it.each([
  [{ table: "my-jobs", key: "log" }, 'The request to table my-jobs about "log" failed (Refused: no).'],
  [{ table: "my-jobs" }, "The request to table my-jobs failed (Refused: no)."],
  [{ bucket: "my-videos", key: "" }, "The request to bucket my-videos failed (Refused: no)."],
  [{ bucket: "my-videos", key: "a.mp4" }, 'The request to bucket my-videos about "a.mp4" failed (Refused: no).'],
  ["http://q/1/hls", 'The request about "http://q/1/hls" failed (Refused: no).'],
])("names what was asked: %o", (subject, message) => {
  expect(translateAwsError(subject, refusal("Refused", 400))).toMatchObject({ code: "STORE_REFUSED", message });
});

it.each([
  [{ bucket: "my-videos" }, "There is no bucket my-videos."],
  [{ bucket: "my-videos", key: "a.mp4" }, 'There is no object "a.mp4".'],
])("says what is not there: %o", (subject, message) => {
  expect(translateAwsError(subject, refusal("NotFound", 404))).toMatchObject({ code: "OBJECT_NOT_FOUND", message });
});
