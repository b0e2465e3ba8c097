import { afterEach, expect, inject } from "vitest";
import { guardProcess } from "../../test/support/guard-process.ts";

// As the root's tests have it, by this folder's own test runner.
const takeRefused = await guardProcess(inject("runFolder"));
afterEach(() => {
  expect(takeRefused(), "what lies outside this machine and was called by the test").toEqual([]);
});
