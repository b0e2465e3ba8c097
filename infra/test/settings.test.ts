import { join } from "node:path";
import { App } from "aws-cdk-lib";
import { describe, expect, inject, it } from "vitest";
import { fitFargateSize } from "../../src/base/fargate-sizes.ts";
import { checkedFargateSize } from "../src/fargate-sizes.ts";
import { NUMBERS } from "../src/numbers.ts";
import { createReelmill } from "../src/reelmill.ts";
import { defaultSettings, readSettings, SettingError } from "../src/settings.ts";
import { renderSettingsPage } from "../src/settings-page.ts";

/** Without a folder of theirs, apps leave one behind each. */
const outdir = join(inject("assembly"), "settings");

const SECRET_ARN = "arn:aws:secretsmanager:eu-central-1:123456789012:secret:reelmill/webhooks-AbCdEf";

function read(context: Record<string, unknown>) {
  return readSettings(new App({ context, outdir }).node);
}

describe("settings", () => {
  it("are the contract's where nothing else is said", () => {
    expect(read({})).toEqual(defaultSettings());
    for (const [name, { value, min, max }] of Object.entries(NUMBERS)) {
      expect(value, name).toBeGreaterThanOrEqual(min);
      expect(value, name).toBeLessThanOrEqual(max);
    }
  });

  it("are taken from the context, from the command line as text", () => {
    const changed = {
      "reelmill:batch_max_vcpus": "32",
      "reelmill:job_memory_mb": 16_384,
      "reelmill:image_tag": "1.2.3",
      "reelmill:object_made_job": '{"pipeline":"convert","params":{"to":"vp9"}}',
      "reelmill:webhook_secrets_arn": SECRET_ARN,
    };
    expect(read({ ...changed, "@aws-cdk/flag": true })).toEqual({
      ...defaultSettings(),
      object_made_job: '{"pipeline":"convert","params":{"to":"vp9"}}',
      webhook_secrets_arn: SECRET_ARN,
      batch_max_vcpus: 32,
      job_memory_mb: 16_384,
      image_tag: "1.2.3",
    });
  });

  it.each([
    '{"pipeline":"repair"}',
    '{"pipeline":"repair","params":{"verify":"full"}}',
    '{"pipeline":"convert","params":{"to":"av1"}}',
    '{"pipeline":"hls"}',
    // As the function does: what is uploaded takes its place.
    '{"pipeline":"hls","params":{"input":"uploads/another.mp4"}}',
  ])("take jobs for uploads that their pipeline takes: %s", (object_made_job) => {
    expect(read({ "reelmill:object_made_job": object_made_job })).toMatchObject({ object_made_job });
  });

  it("are as they were where names of some are said to be unset", () => {
    expect(read({ "reelmill-unset": "batch_max_vcpus,alert_email", "reelmill:job_vcpu": 2 })).toEqual({
      ...defaultSettings(),
      job_vcpu: 2,
    });
  });

  it("may use all of the GPU machine, and all of them on demand", () => {
    const changed = { gpu_vcpu: 4, gpu_memory_mb: 15_360, gpu_max_capacity: 5, gpu_on_demand_base_capacity: 5 };
    const context = Object.fromEntries(Object.entries(changed).map(([name, value]) => [`reelmill:${name}`, value]));
    expect(read(context)).toEqual({ ...defaultSettings(), ...changed });
  });

  it.each([
    [{ "reelmill:batch_max_vcpu": 5 }, /no setting "batch_max_vcpu".*batch_max_vcpus/],
    [{ "reelmill:toString": 5 }, /no setting "toString"/],
    [{ "reelmill-unset": "nonsense" }, /no setting "nonsense"\. There are: .*batch_max_vcpus/],
    [{ "reelmill-unset": "job_vcpu,alert_email,toString" }, /no setting "toString"/],
    [{ "reelmill:job_vcpu": 17 }, /job_vcpu must be a whole number from 1 to 16/],
    [{ "reelmill:job_vcpu": "" }, /job_vcpu must be/],
    [{ "reelmill:job_vcpu": "4.5" }, /job_vcpu must be/],
    [{ "reelmill:SQS_LONG_POLL_WAIT_SECONDS": 21 }, /from 0 to 20/],
    [{ "reelmill:gpu_vcpu": "16" }, /gpu_vcpu must be a whole number from 1 to 4 \(.*g4dn\.xlarge.*\), not "16"/],
    [
      { "reelmill:gpu_memory_mb": 15_361 },
      /gpu_memory_mb must be .* from 512 to 15360 \(.*g4dn\.xlarge.*\), not 15361/,
    ],
    [{ "reelmill:gpu_on_demand_base_capacity": 4 }, /gpu_on_demand_base_capacity must be at most .* which is 3, not 4/],
    [
      { "reelmill:gpu_max_capacity": 4, "reelmill:gpu_on_demand_base_capacity": 5 },
      /gpu_max_capacity, which is 4, not 5/,
    ],
    [{ "reelmill:job_vcpu": 8, "reelmill:batch_max_vcpus": 4 }, /job_vcpu must be at most batch_max_vcpus, which is 4/],
    [{ "reelmill:batch_max_vcpus": 1, "reelmill:job_vcpu": 1 }, /convert_vcpu must be at most batch_max_vcpus/],
    [{ "reelmill:workers_reach": "nat" }, /workers_reach must match/],
    [{ "reelmill:otlp_endpoint": "http://collector:4318" }, /otlp_endpoint must match/],
    [{ "reelmill:alert_email": "nobody" }, /alert_email must match/],
    [{ "reelmill:job_retention_days": 0 }, /job_retention_days must be a whole number from 1 to 3650/],
    [{ "reelmill:object_made_job": "convert" }, /object_made_job must match/],
    [
      { "reelmill:object_made_job": '{"pipeline":"convert","parms":{}}' },
      /object_made_job .*OBJECT_MADE_JOB is .*must be a JSON object/,
    ],
    [{ "reelmill:object_made_job": '{"pipeline":"stereo"}' }, /of repair, convert, hls, not "stereo"/],
    [
      { "reelmill:object_made_job": '{"pipeline":"convert","params":{"to":"vp10"}}' },
      /object_made_job is refused: .* pipeline convert\. to: "vp10" must be one of .*vp9/,
    ],
    [{ "reelmill:object_made_job": '{"pipeline":"convert"}' }, /object_made_job is refused: .* to: is missing/],
    [
      { "reelmill:object_made_job": '{"pipeline":"repair","params":{"to":"vp9","engine":"magic"}}' },
      /object_made_job is refused: .* engine: "magic" must be one of auto, native, untrunc; .*"to"/,
    ],
    [
      { "reelmill:object_made_job": '{"pipeline":"hls","params":{"segmentSeconds":"six"}}' },
      /object_made_job is refused: .* pipeline hls\. .*"segmentSeconds"/,
    ],
    [{ "reelmill:webhook_secrets_arn": "whsec_AAAA" }, /webhook_secrets_arn must match/],
    [{ "reelmill:webhook_secrets_arn": SECRET_ARN.replace("-AbCdEf", "") }, /webhook_secrets_arn must match/],
  ])("are refused: %o", (context, message) => {
    expect(() => read(context)).toThrow(message);
  });

  it("are those of the reference (npx vitest run -u)", async () => {
    await expect(renderSettingsPage()).toMatchFileSnapshot("../../docs/reference/aws-settings.md");
  });

  it("are refused where no service takes them", () => {
    expect(() => createReelmill({ outdir, context: { "reelmill:job_memory_mb": 6000 } })).toThrow(
      /the next is 4 vCPUs and 8192 MB/,
    );
    expect(() => createReelmill({ outdir, context: { "reelmill:log_retention_days": 31 } })).toThrow(
      /log_retention_days must be one of/,
    );
  });
});

describe("sizes on Fargate", () => {
  it.each([
    [1, 2048, 1, 2048],
    [2, 4096, 2, 4096],
    [4, 8192, 4, 8192],
    [4, 16_384, 4, 16_384],
    // The contract's own example: 30 GB with 8 vCPUs is none.
    [8, 30 * 1024, 8, 32 * 1024],
    [1, 512, 1, 2048],
    [3, 512, 4, 8192],
    [1, 9000, 2, 9216],
    [4, 31 * 1024, 8, 32 * 1024],
    [16, 122_880, 16, 122_880],
    [1, 122_880, 16, 122_880],
  ])("%d vCPUs and %d MB fit into %d and %d", (vcpu, memoryMb, fittingVcpu, fittingMemoryMb) => {
    expect(fitFargateSize({ vcpu, memoryMb })).toEqual({ vcpu: fittingVcpu, memoryMb: fittingMemoryMb });
  });

  it("are at most 16 vCPUs and 120 GB", () => {
    expect(() => fitFargateSize({ vcpu: 17, memoryMb: 1024 })).toThrow(/at most 16 and 122880/);
    expect(() => fitFargateSize({ vcpu: 1, memoryMb: 122_881 })).toThrow(/at most 16 and 122880/);
    expect(() => checkedFargateSize("x", { vcpu: 8, memoryMb: 30_720 })).toThrow(
      /x: .* the next is 8 vCPUs and 32768 MB/,
    );
  });

  it.each([
    [{ "reelmill:job_vcpu": 3 }, /^job_vcpu, job_memory_mb: Fargate has no size of 3 vCPUs/],
    [{ "reelmill:log_retention_days": 29 }, /^log_retention_days must be one of 1, 3, 5, .*, not 29\.$/],
  ])("are refused with what is to be changed where a service would refuse them: %j", (context, message) => {
    const make = () => createReelmill({ context, outdir });
    expect(make).toThrow(SettingError);
    expect(make).toThrow(message);
  });
});
