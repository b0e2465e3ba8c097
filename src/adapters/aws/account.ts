import { CloudFormationClient, DescribeStacksCommand } from "@aws-sdk/client-cloudformation";
import { DescribeImagesCommand, ECRClient, GetAuthorizationTokenCommand } from "@aws-sdk/client-ecr";
import { ReelmillError } from "../../base/errors.ts";
import { asking, clientSettings } from "./connection.ts";

/** A stack as it is. */
export interface DeployedStack {
  /** As CloudFormation writes it, such as `UPDATE_COMPLETE`. */
  readonly status: string;
  readonly outputs: Readonly<Record<string, string>>;
}

/** How an engine is let into a registry. */
export interface RegistryLogin {
  readonly user: string;
  /** A secret, good for hours. */
  readonly password: string;
}

/** What is deployed in the account and region that the SDK's own chain names. All throw AWS_NOT_CONFIGURED, STORE_REFUSED, STORE_UNAVAILABLE. */
export interface AwsAccount {
  /** The region; looks for credentials as well, without using them. */
  readonly requireRegion: () => Promise<string>;
  /** The stack of that name; undefined where there is none. */
  readonly getStack: (name: string) => Promise<DeployedStack | undefined>;
  /** Whether the registry, such as `1234.dkr.ecr.eu-central-1.amazonaws.com/name`, has an image of the tag. */
  readonly hasImage: (registryUri: string, tag: string) => Promise<boolean>;
  /** Lets whoever pushes to the account's registries in. */
  readonly logIn: () => Promise<RegistryLogin>;
  readonly close: () => void;
}

/** Where the services are; undefined: AWS itself. */
export interface AccountEndpoints {
  readonly cloudFormation: string | undefined;
  readonly ecr: string | undefined;
}

/** Asks of nothing yet. */
export function createAwsAccount(endpoints: AccountEndpoints): AwsAccount {
  const stacks = new CloudFormationClient(clientSettings({ endpoint: endpoints.cloudFormation }));
  const images = new ECRClient(clientSettings({ endpoint: endpoints.ecr }));
  const requireRegion = (): Promise<string> => findRegion(stacks);
  return {
    requireRegion,
    getStack: async (name) => {
      await requireRegion();
      return await getStack(stacks, name);
    },
    hasImage: async (registryUri, tag) => {
      await requireRegion();
      return await hasImage(images, registryUri, tag);
    },
    logIn: async () => {
      await requireRegion();
      const answer = await asking("the registry", () => images.send(new GetAuthorizationTokenCommand({})));
      const token = Buffer.from(answer.authorizationData?.[0]?.authorizationToken ?? "", "base64").toString("utf8");
      const [user, password] = token.split(":", 2);
      if (user && password) return { user, password };
      throw new ReelmillError("STORE_REFUSED", "The registry of images gave no login.");
    },
    close: () => {
      stacks.destroy();
      images.destroy();
    },
  };
}

async function findRegion({ config }: CloudFormationClient): Promise<string> {
  const region = await config.region().catch((cause: unknown) => {
    throw new ReelmillError("AWS_NOT_CONFIGURED", "No region of AWS is named.", {
      cause,
      advice: "Set AWS_REGION, such as eu-central-1, or AWS_PROFILE to a profile that has one.",
    });
  });
  await config.credentials().catch((cause: unknown) => {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new ReelmillError("AWS_NOT_CONFIGURED", `No credentials of AWS can be had: ${reason}.`, {
      cause,
      advice: "Set AWS_PROFILE and sign in (`aws sso login`), or set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY.",
    });
  });
  return region;
}

async function getStack(client: CloudFormationClient, name: string): Promise<DeployedStack | undefined> {
  const found = await asking(name, async () => {
    try {
      return await client.send(new DescribeStacksCommand({ StackName: name }));
    } catch (error) {
      // CloudFormation has no error of its own for it.
      if (error instanceof Error && error.name === "ValidationError" && / does not exist$/.test(error.message)) return;
      throw error;
    }
  });
  const stack = found?.Stacks?.[0];
  if (stack === undefined) return undefined;
  const outputs = (stack.Outputs ?? []).map(({ OutputKey: key = "", OutputValue: value = "" }) => [key, value]);
  return { status: stack.StackStatus ?? "", outputs: Object.fromEntries(outputs) };
}

async function hasImage(client: ECRClient, registryUri: string, tag: string): Promise<boolean> {
  const [host = "", ...path] = registryUri.split("/");
  const repositoryName = path.join("/");
  const registryId = host.slice(0, host.indexOf("."));
  const request = new DescribeImagesCommand({ registryId, repositoryName, imageIds: [{ imageTag: tag }] });
  return await asking(registryUri, async () => {
    try {
      return ((await client.send(request)).imageDetails ?? []).length > 0;
    } catch (error) {
      if (error instanceof Error && error.name === "ImageNotFoundException") return false;
      throw error;
    }
  });
}
