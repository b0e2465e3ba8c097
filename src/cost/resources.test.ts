import { describe, expect, it } from "vitest";
import { describeResources, resourcesFor } from "./resources.ts";

const GB = 1024 ** 3;
const sized = (pipeline: string, sizesGb: readonly number[], variant = "") =>
  resourcesFor({ pipeline, variant, files: sizesGb.map((gb) => ({ bytes: gb * GB, seconds: null })) });

describe("what jobs run on", () => {
  it.each([
    [[0.001], 1, 2, 30],
    [[5], 1, 2, 30],
    [[2.6, 2.5], 2, 4, 60],
    [[20], 2, 4, 70],
    [[10, 10, 10], 4, 8, 120],
    [[50], 4, 8, 160],
    [[40, 40], 4, 16, 175],
    // 30 GB with 8 vCPUs is nothing that Fargate has.
    [[60, 60], 8, 32, 200],
    [[1000], 8, 32, 200],
  ])("sizes repairs of %j GB by the contract's rules", (sizes, vcpu, memoryGb, storageGb) => {
    expect(sized("repair", sizes)).toEqual({
      kind: "fargate",
      vcpu,
      memoryMb: memoryGb * 1024,
      storageGb,
    });
  });

  it.each([
    [[4], 1, 8],
    [[5], 2, 10],
    [[1, 1], 1, 2],
    [[100], 16, 120],
  ])("gives untrunc twice the largest of %j GB as memory", (sizes, vcpu, memoryGb) => {
    expect(sized("repair", sizes, "untrunc")).toMatchObject({ vcpu, memoryMb: memoryGb * 1024 });
  });

  it("is a container of 2 vCPUs for conversions and a machine with a GPU for packages", () => {
    const convert = sized("convert", [1]);
    expect(convert).toEqual({ kind: "fargate", vcpu: 2, memoryMb: 4096, storageGb: 100 });
    expect(convert && describeResources(convert)).toBe("Fargate with 2 vCPUs, 4 GB of memory, 100 GB of disk");
    expect(sized("hls", [1])).toMatchObject({ kind: "machine", machine: "g4dn.xlarge", vcpu: 4 });
    expect(sized("echo", [1])).toBeUndefined();
  });
});
