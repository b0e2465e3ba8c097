import { expect, it } from "vitest";
import { systemClock } from "../../base/clock.ts";
import { createSessions } from "./sessions.ts";

it("keeps a bounded number of sessions, the newest", () => {
  const sessions = createSessions(systemClock);
  const ids = Array.from({ length: 1001 }, () => sessions.open("key").id);
  expect(ids.filter((id) => sessions.has(id))).toEqual(ids.slice(1));
});
