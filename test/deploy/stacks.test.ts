import { expect, it } from "vitest";
import { OWN_PIPELINES } from "../../infra/src/pipelines.ts";
import { createRegistry } from "../../src/pipelines/registry.ts";

/** What AWS Batch runs whole needs no queue, service or state machine. */
const WHOLE = ["repair", "convert"];

it("the stacks have something for each pipeline that there is, and nothing for others", () => {
  const names = createRegistry().all.map(({ name }) => name);
  expect([...WHOLE, ...OWN_PIPELINES].toSorted()).toEqual(names.toSorted());
});
