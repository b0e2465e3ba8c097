/** What the contract runs GPU workers on: one NVIDIA T4, 4 vCPUs, 16 GiB. */
export const GPU_MACHINE = "g4dn.xlarge";

/** All that a task may ask of it; one that asks for more is never placed. */
export const GPU_MACHINE_VCPUS = 4;

/**
 * MiB that a task may ask of it. What ECS gives to tasks is what the system itself sees, which is less than the machine's 16,384
 * (https://docs.aws.amazon.com/AmazonECS/latest/developerguide/memory-management.html: 7,985 of 8,192 for an m4.large): 15,693 were seen on a machine of
 * the family with 4 vCPUs (https://github.com/groundlight/edge-endpoint/pull/79). The rest is for the system and for versions that see less; not tried
 * on an account.
 */
export const GPU_MACHINE_TASK_MB = 15_360;
