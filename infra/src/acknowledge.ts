import { type Stack, Validations } from "aws-cdk-lib";
import type { IConstruct } from "constructs";

/** Says why a rule of cdk-nag does not hold for the construct and what is in it. */
export function acknowledge(construct: IConstruct, rule: string, reason: string): void {
  Validations.of(construct).acknowledge({ id: `AwsSolutions::${rule}`, reason });
}

/** For stacks whose roles reach items of a bucket, table or cluster; a test lists every wildcard that there is, so that none is new unseen. */
export function acknowledgeWildcards(stack: Stack): void {
  const reason =
    "Wildcards stand for the objects of a bucket, the indexes of the table, the tasks of the cluster and the streams of a log group, whose names are not known before; and where AWS knows no narrower resource.";
  acknowledge(stack, "AwsSolutions-IAM5", reason);
}
