import { vi } from "vitest";
import { createLocalFixture } from "./local-object-store.fixture.ts";
import { describeObjectStore } from "./object-store-contract.ts";

// As on systems where an open folder cannot be named by its descriptor.
vi.mock("node:fs", async (importOriginal) => {
  const fs = await importOriginal<typeof import("node:fs")>();
  const existsSync: typeof fs.existsSync = (path) => path !== "/proc/self/fd" && fs.existsSync(path);
  return { ...fs, existsSync };
});

describeObjectStore("A folder that is reached by its path", createLocalFixture);
