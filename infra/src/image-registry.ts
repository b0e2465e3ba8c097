import { CfnOutput, RemovalPolicy, Stack } from "aws-cdk-lib";
import { Repository, TagMutability } from "aws-cdk-lib/aws-ecr";
import { Construct } from "constructs";
import { OUTPUTS } from "../../src/adapters/aws/stack-names.ts";

const IMAGES_KEPT = 20;

/** Where the one image of all roles is pushed to. */
export class ImageRegistry extends Construct {
  /** The registry of it. */
  readonly repository: Repository;

  constructor(scope: Construct, id: string) {
    super(scope, id);
    this.repository = new Repository(this, "Repository", {
      imageScanOnPush: true,
      imageTagMutability: TagMutability.IMMUTABLE,
      lifecycleRules: [{ description: "Those before the last ones.", maxImageCount: IMAGES_KEPT }],
      removalPolicy: RemovalPolicy.RETAIN,
    });
    new CfnOutput(Stack.of(this), OUTPUTS.registryUri, { value: this.repository.repositoryUri });
  }
}
