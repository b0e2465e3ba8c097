import { type Stack, Validations } from "aws-cdk-lib";
import type { IConstruct } from "constructs";
import { WRITTEN_KEYS } from "./pipelines.ts";

/** Says why a rule of cdk-nag does not hold for the construct and what is in it. */
export function acknowledge(construct: IConstruct, rule: string, reason: string): void {
  Validations.of(construct).acknowledge({ id: `AwsSolutions::${rule}`, reason });
}

const ACCOUNT = "<AWS::Partition>:service:<AWS::Region>:<AWS::AccountId>";

/** All objects, for reading; and the places that somebody may write to. */
const OBJECTS = [
  ...["*", "uploads/*", "references/*", "batches/*", "logs/*"],
  ...new Set(Object.values(WRITTEN_KEYS).flat()),
];

/** Everything that ends in a wildcard in a right, as cdk-nag writes it; names of resources in other stacks are those of their exports. */
const WILDCARDS: readonly (readonly [finding: string, reason: string])[] = [
  [
    "Resource::ReelmillState:ExportsOutputFnGetAttJobsTable10C8EDF6ArnA5F1B7F3/index/*",
    "Jobs are listed by both indexes of the table, and it has no others.",
  ],
  ...OBJECTS.map(
    (keys) =>
      [
        `Resource::ReelmillState:ExportsOutputFnGetAttStorageObjectsAC4CDBF6Arn310CA313/${keys}`,
        "Names of recordings and results are not known before; the bucket is there for them alone.",
      ] as const,
  ),
  [
    `Resource::arn:${ACCOUNT.replace("service", "ecs")}:task/<ClusterEB0386A7>/*`,
    "ECS names its tasks itself; they are those of the cluster alone.",
  ],
  [
    "Action::ecs:Submit*",
    "The library's own, for the agent of ECS: three actions by which a machine tells how its tasks are.",
  ],
  [
    "Resource::*",
    "Actions for which AWS knows no narrower resource: tokens of the registry, traces and spans, lists of streams, jobs of AWS Batch, the agent of ECS.",
  ],
];

/** For stacks whose roles have such rights; a test lists every one that there is, so that none is new unseen. */
export function acknowledgeWildcards(stack: Stack): void {
  for (const [finding, reason] of WILDCARDS) acknowledge(stack, `AwsSolutions-IAM5[${finding}]`, reason);
}
