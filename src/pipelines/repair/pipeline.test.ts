import { expect, it } from "vitest";
import type { ObjectStore } from "../../jobs/object-store.ts";
import type { StageContext } from "../../jobs/pipeline.ts";
import { repairPipeline } from "./pipeline.ts";

async function planOutputs(keys: readonly string[], params: unknown): Promise<readonly unknown[]> {
  const objects: Pick<ObjectStore, "head"> = {
    head: async (key) => (keys.includes(key) ? { key, bytes: 1, modifiedAtMs: 0, tag: "" } : undefined),
  };
  const context = { objects, jobId: "j" } as StageContext;
  const tasks = await repairPipeline.plan(repairPipeline.parseParams(params), context);
  return tasks.map(({ input }) => (input as { readonly output: string }).output);
}

it("never plans an output in the place of an original or of any other object", async () => {
  const keys = ["a/clip.mp4", "outputs/b/clip.mp4", "outputs/b/clip-2.mp4", "outputs/b/good.mp4"];
  const inputs = ["a/clip.mp4", "outputs/b/clip.mp4"];
  const outputs = await planOutputs(keys, { inputs, outputPrefix: "outputs/b" });
  expect(outputs).toEqual(["outputs/b/clip-3.mp4", "outputs/b/clip-4.mp4"]);
});

it.each(["uploads/1", "watch-1/ready", "outputs", "outputs/", "outputs/b/", "xoutputs/b"])(
  "puts nothing below %s, where others' files may lie",
  (outputPrefix) => {
    expect(() => repairPipeline.parseParams({ inputs: ["a"], outputPrefix })).toThrow("must begin with outputs/");
  },
);

it("tells names apart that some file systems do not", async () => {
  const keys = ["a/Clip.mp4", "b/clip.mp4"];
  expect(await planOutputs(keys, { inputs: keys })).toEqual(["outputs/j/Clip.mp4", "outputs/j/clip-2.mp4"]);
});

it("numbers outputs of one name", async () => {
  const keys = ["a/clip.mp4", "b/clip.mp4"];
  expect(await planOutputs(keys, { inputs: keys })).toEqual(["outputs/j/clip.mp4", "outputs/j/clip-2.mp4"]);
});

it.each([
  [
    { inputs: ["../../etc/passwd"] },
    "OBJECT_KEY_INVALID",
    'inputs.0: The object key "../../etc/passwd" is not allowed',
  ],
  [{ inputs: ["uploads/1/a.mp4"], references: ["/a.mp4"] }, "OBJECT_KEY_INVALID", "references.0: "],
  [{ inputs: ["a.mp4"], outputPrefix: "outputs/../uploads" }, "OBJECT_KEY_INVALID", "outputPrefix: "],
  [{ inputs: ["../a.mp4"], verify: "never" }, "PARAMS_INVALID", "verify: "],
  [{ inputs: [""] }, "PARAMS_INVALID", "inputs.0: "],
  [{ inputs: ["a".repeat(1025)] }, "PARAMS_INVALID", "inputs.0: "],
])("refuses %j when it is submitted", (params, code, message) => {
  expect(() => repairPipeline.parseParams(params)).toThrow(
    expect.objectContaining({ code, message: expect.stringContaining(message) }),
  );
});

it("takes keys of a watched folder", () => {
  expect(() => repairPipeline.parseParams({ inputs: ["watch/ready/a b.mp4"] })).not.toThrow();
});

it("says of what is not there where it may have gone", async () => {
  await expect(planOutputs([], { inputs: ["uploads/1/clip.mp4"] })).rejects.toMatchObject({
    code: "OBJECT_NOT_FOUND",
    message: expect.stringMatching(/^There is no object uploads\/1\/clip\.mp4\..* originals\/ or quarantine\//),
  });
});

it("cuts the name of an output that has no room for its number", async () => {
  const name = `${"z".repeat(251)}.mp4`;
  const keys = [`a/${name}`, `b/${name}`];
  expect(await planOutputs(keys, { inputs: keys })).toEqual([
    `outputs/j/${name}`,
    `outputs/j/${"z".repeat(249)}-2.mp4`,
  ]);
});
