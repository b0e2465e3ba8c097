import { afterEach, expect, inject } from "vitest";
import { hasEndpoints } from "./endpoints.ts";
import { guardProcess } from "./guard-process.ts";

/*
 * No test may talk to anything but this machine: whatever tries fails at once, and so does its test, even where the failure is
 * swallowed, and where it was a process that the test started. Where whoever runs the tests names endpoints to test against,
 * nothing is refused: they may have any address.
 */

if (!hasEndpoints()) {
  const takeRefused = await guardProcess(inject("runFolder"));
  afterEach(() => {
    expect(takeRefused(), "what lies outside this machine and was called by the test").toEqual([]);
  });
}
