import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { createS3Client } from "./bucket.ts";
import { createMultipartLender } from "./multipart-lender.ts";
import { createS3ObjectLender } from "./object-lender.ts";

// What an emulator does not check is looked at in the links themselves; nothing is asked of AWS to make one.
describe("a link to an object of S3", () => {
  beforeAll(() => {
    vi.stubEnv("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE");
    vi.stubEnv("AWS_SECRET_ACCESS_KEY", "secret");
  });
  afterAll(() => {
    vi.unstubAllEnvs();
  });
  const lender = createS3ObjectLender({ region: "eu-central-1", endpoint: undefined }, "bucket");
  const signed = async (loan: Parameters<typeof lender.lend>[0]): Promise<URL> =>
    new URL((await lender.lend(loan)).url);

  it("signs the length of what is written, and no checksum of the nothing that is known here", async () => {
    const url = await signed({ method: "PUT", key: "uploads/a b.mp4", bytes: 17, forMs: 90_500 });
    expect(url.origin + url.pathname).toBe("https://bucket.s3.eu-central-1.amazonaws.com/uploads/a%20b.mp4");
    expect(url.searchParams.get("X-Amz-SignedHeaders")).toBe("content-length;host");
    expect(url.searchParams.get("X-Amz-Expires")).toBe("90");
    expect(url.search.toLowerCase()).not.toContain("checksum");
    const longer = await signed({ method: "PUT", key: "uploads/a b.mp4", bytes: 18, forMs: 90_500 });
    expect(longer.searchParams.get("X-Amz-Signature")).not.toBe(url.searchParams.get("X-Amz-Signature"));
  });

  it("is for one part of an object, of a size that ten thousand are enough for", async () => {
    const { multipart } = lender;
    const link = async (bytes: number, number: number) =>
      new URL((await multipart?.lendPart({ key: "a", uploadId: "id", bytes }, number, 1000))?.url ?? "");
    const url = await link(200_000_000, 24);
    expect(url.searchParams.get("X-Amz-SignedHeaders")).toBe("content-length;host");
    expect([url.searchParams.get("partNumber"), url.searchParams.get("uploadId")]).toEqual(["24", "id"]);
    await expect(link(200_000_000, 25)).rejects.toMatchObject({ code: "REQUEST_INVALID" });
    expect((await link(5 * 1024 ** 4, 10_000)).searchParams.get("partNumber")).toBe("10000");
    await expect(link(5 * 1024 ** 4, 10_001)).rejects.toMatchObject({ code: "REQUEST_INVALID" });
    await expect(link(5 * 1024 ** 4 + 1, 1)).rejects.toMatchObject({ code: "BODY_TOO_LARGE" });
  });

  it("is given for no more than S3 takes in one request", async () => {
    const loan = { method: "PUT", key: "a", bytes: 5 * 1024 ** 3 + 1, forMs: 1000 } as const;
    await expect(lender.lend(loan)).rejects.toMatchObject({ code: "BODY_TOO_LARGE" });
  });
});

describe("an upload that the store cannot complete and answers 500", () => {
  it.each([
    ["is not there where its parts are not", 404, "UPLOAD_NOT_FOUND"],
    ["may be completed later where they are", 200, "STORE_UNAVAILABLE"],
    ["may be completed later where nobody may ask for them", 403, "STORE_UNAVAILABLE"],
  ])("%s", async (_, listed, code) => {
    const client = createS3Client({ region: "eu-central-1", endpoint: "http://127.0.0.1:1" });
    const answers = new Map([
      ["CompleteMultipartUploadCommand", 500],
      ["ListPartsCommand", listed],
      ["HeadObjectCommand", 404],
    ]);
    client.middlewareStack.add(
      (_next, context) => async () => {
        const httpStatusCode = answers.get(String(context.commandName)) ?? 400;
        if (httpStatusCode === 200) return { output: { $metadata: {} }, response: {} };
        const name = httpStatusCode === 404 ? "NotFound" : "Refused";
        throw Object.assign(new Error("no"), { name, $metadata: { httpStatusCode } });
      },
      { step: "initialize" },
    );
    const lender = createMultipartLender({ client, name: "bucket" }, {});
    const completed = lender.complete({ key: "a", uploadId: "id", bytes: 1 }, ["tag"]);
    await expect(completed).rejects.toMatchObject({ code });
    client.destroy();
  });
});
