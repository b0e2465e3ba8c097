import { type FargateSize, fitFargateSize } from "../../src/base/fargate-sizes.ts";
import { SettingError } from "./settings.ts";

/** The size itself where Fargate accepts it. Throws, naming the next that it does, where not. */
export function checkedFargateSize(what: string, size: FargateSize): FargateSize {
  const fitting = fitFargateSize(size);
  if (fitting.vcpu === size.vcpu && fitting.memoryMb === size.memoryMb) return size;
  const next = `${fitting.vcpu} vCPUs and ${fitting.memoryMb} MB`;
  throw new SettingError(
    `${what}: Fargate has no size of ${size.vcpu} vCPUs and ${size.memoryMb} MB; the next is ${next}.`,
  );
}
