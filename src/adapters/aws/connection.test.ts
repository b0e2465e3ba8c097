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
