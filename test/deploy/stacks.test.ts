import { expect, it } from "vitest";
import { PIPELINES } from "../../infra/src/pipelines.ts";
import { createRegistry } from "../../src/pipelines/registry.ts";

it("the stacks have something for each pipeline that there is, and nothing for others", () => {
  const names = createRegistry().all.map(({ name }) => name);
  expect(PIPELINES.toSorted()).toEqual(names.toSorted());
});
