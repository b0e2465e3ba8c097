import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createJobsClient } from "./jobs.fixture.ts";
import { findFreePort, type RunningServer, startServer } from "./server.fixture.ts";

interface Job {
  readonly id: string;
  readonly status: string;
  readonly stage: string;
  readonly tasks: { readonly total: number };
  readonly result: { readonly playlist: string } | null;
}

interface Asset {
  readonly state: string;
  readonly jobId: string;
  readonly playlistKey: string | null;
  readonly enteredAtMs: Readonly<Record<string, number>>;
}

const INPUT = "uploads/clip.mp4";
const folder = mkdtempSync(join(tmpdir(), "reelmill-hls-message-"));
let server: RunningServer;
const { get, post, put, ended, listKeys } = createJobsClient<Job>(() => server);

beforeAll(async () => {
  const clip = join(folder, "clip.mp4");
  const inputs = ["-f", "lavfi", "-i", "testsrc2=s=320x180:r=25:d=7", "-f", "lavfi", "-i", "sine=d=7"];
  execFileSync("ffmpeg", ["-v", "error", ...inputs, ..."-c:v libx264 -preset ultrafast -c:a aac".split(" "), clip]);
  server = await startServer(folder, await findFreePort());
  await put(INPUT, readFileSync(clip));
}, 60_000);
afterAll(async () => {
  await server.stop();
  rmSync(folder, { recursive: true, force: true });
});

async function send<T = Job>(message: unknown, more: object = {}) {
  return await post<T>("jobs", { pipeline: "hls", params: { input: INPUT, preset: "ultrafast", message, ...more } });
}

async function readAsset(mediaId: string): Promise<Asset | undefined> {
  const answer = await fetch(`${server.url}/v1/objects/outputs/media/org-1/${mediaId}/asset.json`);
  return answer.status === 404 ? undefined : ((await answer.json()) as Asset);
}

async function listPackage(mediaId: string): Promise<readonly string[]> {
  return await listKeys(`outputs/media/org-1/${mediaId}/`);
}

describe("a message {job_id, media_id, org_id}", () => {
  it("leads a media asset from state to state, and does nothing twice", async () => {
    const message = { job_id: "job-a", media_id: "media-a", org_id: "org-1" };
    const first = await send(message);
    expect(first.status).toBe(201);
    const again = await send(message);
    expect([again.status, again.body.id]).toEqual([200, first.body.id]);
    const job = await ended(first.body.id);
    expect(job.status).toBe("succeeded");
    const playlistKey = `outputs/media/org-1/media-a/${job.id}/main.m3u8`;
    expect(job.result?.playlist).toBe(playlistKey);
    const asset = await readAsset("media-a");
    expect(asset).toMatchObject({ state: "complete", jobId: "job-a", playlistKey });
    const { uploaded = 0, transcoding = 0, transcoded = 0, complete = 0 } = asset?.enteredAtMs ?? {};
    expect(uploaded).toBeGreaterThan(0);
    expect(transcoding).toBeGreaterThanOrEqual(uploaded);
    expect(transcoded).toBeGreaterThan(transcoding);
    expect(complete).toBeGreaterThan(transcoded);
    expect((await fetch(`${server.url}/v1/objects/${playlistKey}`)).status).toBe(200);
    expect((await fetch(`${server.url}/v1/objects/${playlistKey.replace("main.m3u8", "poster.jpg")}`)).status).toBe(
      200,
    );
    const lying = await listPackage("media-a");
    // As a message that comes again when its key has run out.
    const replayed = await ended((await post<Job>(`jobs/${job.id}/replay`, {})).body.id);
    expect(replayed).toMatchObject({ status: "succeeded", tasks: { total: 0 }, result: job.result });
    expect(replayed.id).not.toBe(job.id);
    expect(await listPackage("media-a")).toEqual(lying);
    expect(await readAsset("media-a")).toEqual(asset);
  }, 90_000);

  it("is gone on with where a worker is killed", async () => {
    const { body } = await send({ job_id: "job-b", media_id: "media-b", org_id: "org-1" }, { preset: "medium" });
    while ((await readAsset("media-b"))?.state !== "transcoding") await delay(20);
    for (const pid of server.workers()) process.kill(pid, "SIGKILL");
    const job = await ended(body.id);
    expect(job.status).toBe("succeeded");
    const { tasks } = await get<{ tasks: readonly { readonly attempt: number }[] }>(`jobs/${body.id}/tasks`);
    expect(tasks.some(({ attempt }) => attempt > 1)).toBe(true);
    expect(await readAsset("media-b")).toMatchObject({ state: "complete", playlistKey: job.result?.playlist });
  }, 90_000);

  it("of another job makes another package, which the asset then names", async () => {
    const first = await ended((await send({ job_id: "job-c", media_id: "media-c", org_id: "org-1" })).body.id);
    const second = await ended((await send({ job_id: "job-d", media_id: "media-c", org_id: "org-1" })).body.id);
    expect(second.result?.playlist).not.toBe(first.result?.playlist);
    expect(await readAsset("media-c")).toMatchObject({ jobId: "job-d", playlistKey: second.result?.playlist });
    expect(await listPackage("media-c")).toContain(first.result?.playlist);
  }, 90_000);

  it("fails where there is no recording, and leaves no asset", async () => {
    const message = { job_id: "job-e", media_id: "media-e", org_id: "org-1" };
    const job = await ended((await send(message, { input: "uploads/none.mp4" })).body.id);
    expect(job).toMatchObject({ status: "failed", error: { code: "OBJECT_NOT_FOUND" } });
    expect(await readAsset("media-e")).toBeUndefined();
  }, 60_000);

  it.each([
    [{ job_id: "j", media_id: "m" }, "message.org_id"],
    [{ job_id: "j", media_id: "m", org_id: "" }, "message.org_id"],
    [{ job_id: "j", media_id: "../../x", org_id: "o" }, "message.media_id"],
    [{ job_id: "a/b", media_id: "m", org_id: "o" }, "message.job_id"],
    [{ job_id: 7, media_id: "m", org_id: "o" }, "message.job_id"],
    [{ job_id: "j", media_id: "m", org_id: "o", path: "x" }, "path"],
    ["j", "message"],
  ])("is refused at once where it is malformed: %j", async (message, told) => {
    const { status, body } = await send<{ readonly code: string; readonly detail: string }>(message);
    expect([status, body.code]).toEqual([400, "PARAMS_INVALID"]);
    expect(body.detail).toContain(told);
  });

  it("is known by its organization and its job_id together, however long they are", async () => {
    const [job_id, media_id] = ["j".repeat(128), "m"];
    const ids: string[] = [];
    for (const org_id of ["o".repeat(128), `p${"o".repeat(127)}`]) {
      const { status, body } = await send({ job_id, media_id, org_id }, { input: "uploads/none.mp4" });
      expect(status).toBe(201);
      const key = `hls/${org_id}/${job_id}`;
      const found = await fetch(`${server.url}/v1/jobs?idempotencyKey=${encodeURIComponent(key)}`);
      expect(await found.json()).toMatchObject({ jobs: [{ id: body.id, idempotencyKey: key }] });
      ids.push(body.id);
    }
    for (const id of ids) expect((await ended(id)).status).toBe("failed");
  });

  it("is refused where another one had its job_id", async () => {
    await send({ job_id: "job-f", media_id: "media-f", org_id: "org-1" });
    const { status, body } = await send<{ code: string }>({ job_id: "job-f", media_id: "media-g", org_id: "org-1" });
    expect([status, body.code]).toEqual([409, "IDEMPOTENCY_CONFLICT"]);
    expect(await readAsset("media-g")).toBeUndefined();
  });
});
