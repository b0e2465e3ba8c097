import { expect, it } from "vitest";
import { jobPath, matchRoute } from "./routes.ts";

it.each([
  ["/", { page: "jobs" }],
  ["/jobs", { page: "jobs" }],
  ["/jobs/a%2Fb", { page: "job", id: "a/b" }],
  ["/queues/", { page: "queues" }],
  ["/watch", { page: "watch" }],
  ["/system", { page: "system" }],
  ["/jobs/a/b", { page: "missing" }],
  ["/jobs/%E0%A4%A", { page: "missing" }],
  ["/nowhere", { page: "missing" }],
])("%s", (path, route) => expect(matchRoute(path)).toEqual(route));

it("finds a job's page by the path that was made for it", () => {
  expect(matchRoute(jobPath("../?#"))).toEqual({ page: "job", id: "../?#" });
});
