import { copyFileSync, mkdirSync } from "node:fs";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, beforeEach } from "vitest";
import { makeRecordings, type Recordings } from "../e2e/recordings.fixture.ts";
import { createTestEdge, createTestFolder, type TestEdge } from "./edge.fixture.ts";

type Rest<T> = T extends [string, ...infer Others] ? Others : never;

/** A share with an empty ready/ for each test, and the services on it. */
export interface WatchPlace {
  /** The share; a test may take another one, before it puts anything there. */
  root: string;
  /** The present test's own folder, which holds the share at first. */
  readonly folder: ReturnType<typeof createTestFolder>;
  readonly recordings: Recordings;
  /** Called when the test's services have been stopped. */
  readonly cleanups: (() => void)[];
  /** As `createTestEdge` on the share; stopped with the test. */
  createEdge(...args: Rest<Parameters<typeof createTestEdge>>): TestEdge;
  /** Copies a file into ready/. */
  put(from: string, name: string): string;
}

/** Registers the hooks that make a place for each test of the file, and take it away. */
export function prepareWatchPlace(): WatchPlace {
  const made = createTestFolder();
  const started: TestEdge[] = [];
  const place = {
    cleanups: [] as (() => void)[],
    createEdge: (...args: Rest<Parameters<typeof createTestEdge>>): TestEdge => {
      const edge = createTestEdge(place.root, ...args);
      started.push(edge);
      return edge;
    },
    put: (from: string, name: string): string => {
      const path = join(place.root, "ready", name);
      copyFileSync(from, path);
      return path;
    },
  } as { -readonly [Name in keyof WatchPlace]: WatchPlace[Name] };
  beforeAll(() => {
    place.recordings = makeRecordings(join(made.path, "files"));
  });
  afterAll(() => made.remove());
  beforeEach(() => {
    place.folder = createTestFolder();
    place.root = join(place.folder.path, "share");
    mkdirSync(join(place.root, "ready"), { recursive: true });
  });
  afterEach(async () => {
    for (const { service } of started.splice(0)) await service.stop();
    for (const cleanup of place.cleanups.splice(0)) cleanup();
    place.folder.remove();
  });
  return place;
}

/** Scans and waits until what was begun is done. */
export async function pass({ service }: TestEdge): Promise<void> {
  await service.scanNow();
  await service.settled();
}
