import { describe, expect, it } from "vitest";
import { makeJob } from "./ended-jobs.fixture.ts";
import { describeJob, toSlackMessage } from "./webhook-payload.ts";

describe("describeJob", () => {
  it("tells a job's end, and nothing that is nobody's business", () => {
    const error = { code: "INPUT_EMPTY", message: "The file holds no bytes." } as const;
    const webhook = { url: "https://example.com/hook?token=s3cret", format: "standard" } as const;
    const job = makeJob({ id: "an-id", status: "failed", stage: "work", progress: 0.5, error, webhook });
    const { payload } = describeJob(job);
    expect(payload).toEqual({
      type: "job.failed",
      timestamp: "2023-11-14T22:13:22.000Z",
      data: {
        job: {
          id: "an-id",
          pipeline: "echo",
          status: "failed",
          stage: "work",
          progress: 0.5,
          tasks: { total: 2, succeeded: 2, failed: 0 },
          priority: 0,
          parentJobId: null,
          attempt: 1,
          createdAtMs: 1_700_000_000_000,
          startedAtMs: 1_700_000_001_000,
          finishedAtMs: 1_700_000_002_000,
          error,
          params: { text: "hello" },
          result: { text: "HELLO" },
        },
        isShortened: false,
      },
    });
    expect(JSON.stringify(payload)).not.toMatch(/s3cret|a-key-of-the-client/);
  });

  it("leaves out a result that is too large to send", () => {
    const { payload } = describeJob(makeJob({ result: "x".repeat(300_000) }));
    expect(payload).toMatchObject({ data: { job: { params: null, result: null }, isShortened: true } });
  });
});

describe("toSlackMessage", () => {
  it("has a header and the facts", () => {
    expect(toSlackMessage(describeJob(makeJob({ id: "an-id" })))).toEqual({
      text: "echo job succeeded",
      blocks: [
        { type: "header", text: { type: "plain_text", text: "echo job succeeded" } },
        {
          type: "section",
          fields: [
            { type: "mrkdwn", text: "*Job*\nan-id" },
            { type: "mrkdwn", text: "*Tasks*\n2 of 2 succeeded, 0 failed" },
          ],
        },
      ],
    });
  });

  it("takes the power from names, and keeps within Slack's bounds without cutting an escape", () => {
    const fact = { name: "File", value: `<!channel> <https://evil.example|safe> ${"&".repeat(3000)}` };
    const message = toSlackMessage({ payload: null, headline: "<!here>".repeat(100), facts: Array(12).fill(fact) });
    const { text, blocks } = message as {
      readonly text: string;
      readonly blocks: readonly { readonly text?: { text: string }; readonly fields?: readonly { text: string }[] }[];
    };
    const fields = blocks[1]?.fields ?? [];
    expect(blocks[0]?.text?.text.length).toBeLessThanOrEqual(150);
    expect(fields).toHaveLength(10);
    for (const marked of [text, ...fields.map((field) => field.text)]) {
      expect(marked).not.toMatch(/[<>]|&(?!amp;|lt;|gt;)/);
      expect(marked.length).toBeLessThanOrEqual(2000);
    }
  });

  it("has no empty section", () => {
    expect(toSlackMessage({ payload: null, headline: "Done", facts: [] })).toMatchObject({
      blocks: [{ type: "header" }],
    });
  });
});
