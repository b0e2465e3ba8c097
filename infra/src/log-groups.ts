import { RemovalPolicy } from "aws-cdk-lib";
import { LogGroup, RetentionDays } from "aws-cdk-lib/aws-logs";
import type { Construct } from "constructs";
import { SettingError, type Settings } from "./settings.ts";

/** A group of logs that are kept for `log_retention_days`. Throws where CloudWatch does not know that number. */
export function createLogGroup(scope: Construct, id: string, { log_retention_days: days }: Settings): LogGroup {
  if (!(days in RetentionDays)) {
    const known = Object.values(RetentionDays).filter((value) => typeof value === "number" && value < 9999);
    throw new SettingError(`log_retention_days must be one of ${known.join(", ")}, not ${days}.`);
  }
  return new LogGroup(scope, id, { retention: days, removalPolicy: RemovalPolicy.DESTROY });
}
