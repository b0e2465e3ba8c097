import { fitFargateSize, LARGEST_FARGATE_SIZE } from "../../base/fargate-sizes.ts";

/** What a batch is sized by. */
export interface BatchLoad {
  readonly totalBytes: number;
  readonly largestBytes: number;
  /** Whether untrunc does the work, which holds a file in memory; the native engine reads it as it goes. */
  readonly usesUntrunc: boolean;
}

/** What the client asks for itself, in place of what the load comes to. */
export interface ResourceWish {
  /** 1 to 16. */
  readonly vcpu?: number | undefined;
  /** 512 to 122,880. */
  readonly memoryMb?: number | undefined;
  /** 21 to 200. */
  readonly storageGb?: number | undefined;
}

/** What a container for a batch is given; always a size that Fargate accepts. */
export interface BatchResources {
  readonly vcpu: number;
  readonly memoryMb: number;
  readonly storageGb: number;
  /** Whether nothing of it was wished. */
  readonly isAutoScaled: boolean;
}

/** In units of 1024, as AWS counts memory and storage. */
const MIB = 1024 ** 2;
const GIB = 1024 ** 3;
const MAX_STORAGE_GB = 200;
const STORAGE_BUFFER_GB = 10;
/** Damaged file, result, and one that is being written. */
const STORAGE_FACTOR = 3;
const UNTRUNC_MEMORY_FACTOR = 2;

interface Tier {
  readonly maxGb: number;
  readonly vcpu: number;
  readonly memoryGb: number;
  readonly storageGb: number;
}

const LARGEST_TIER: Tier = { maxGb: Number.POSITIVE_INFINITY, vcpu: 8, memoryGb: 30, storageGb: 200 };
/** By total size; what is larger than the last gets the last, too. */
const TIERS: readonly Tier[] = [
  { maxGb: 5, vcpu: 1, memoryGb: 2, storageGb: 30 },
  { maxGb: 20, vcpu: 2, memoryGb: 4, storageGb: 60 },
  { maxGb: 50, vcpu: 4, memoryGb: 8, storageGb: 120 },
  { maxGb: 100, vcpu: 4, memoryGb: 16, storageGb: 175 },
];

/**
 * Sizes the container of a batch: by its total size, with room for three times its largest file and 10 GB, and, where untrunc does the
 * work, memory for two of it; at most 16 vCPUs, 120 GB of memory and 200 GB of storage. What is wished takes the place of the
 * first, not of what the largest file needs. What Fargate does not have becomes the next size that it has.
 */
export function sizeBatch(
  { totalBytes, largestBytes, usesUntrunc }: BatchLoad,
  wish: ResourceWish = {},
): BatchResources {
  const tier = TIERS.find(({ maxGb }) => totalBytes <= maxGb * GIB) ?? LARGEST_TIER;
  const needsMb = usesUntrunc ? Math.ceil((UNTRUNC_MEMORY_FACTOR * largestBytes) / MIB) : 0;
  const needsGb = Math.ceil((STORAGE_FACTOR * largestBytes) / GIB) + STORAGE_BUFFER_GB;
  const memoryMb = Math.max(wish.memoryMb ?? tier.memoryGb * 1024, needsMb);
  const fitting = fitFargateSize({
    vcpu: Math.min(wish.vcpu ?? tier.vcpu, LARGEST_FARGATE_SIZE.vcpu),
    memoryMb: Math.min(memoryMb, LARGEST_FARGATE_SIZE.memoryMb),
  });
  return {
    ...fitting,
    storageGb: Math.min(Math.max(wish.storageGb ?? tier.storageGb, needsGb), MAX_STORAGE_GB),
    isAutoScaled: wish.vcpu === undefined && wish.memoryMb === undefined && wish.storageGb === undefined,
  };
}
