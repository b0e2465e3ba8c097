import { afterEach, expect, inject } from "vitest";
import { guardProcess } from "./guard-process.ts";

/*
 * No test may talk to anything but this machine: whatever tries fails at once, and so does its test, even where the failure is
 * swallowed, and where it was a process that the test started. Where whoever runs the tests names an endpoint by
 * REELMILL_TEST_AWS_ENDPOINT nothing is refused: it may have any address.
 */

if (!process.env["REELMILL_TEST_AWS_ENDPOINT"]) {
  const takeRefused = await guardProcess(inject("runFolder"));
  afterEach(() => {
    expect(takeRefused(), "what lies outside this machine and was called by the test").toEqual([]);
  });
}
