/*
 * Workers that misbehave, as WORKER_KIND says: `blocked` begins to work and never lets a timer have its turn again; `deaf` closes
 * the channel in the middle of being spoken to, and ends a moment later as it should.
 */
const block = (ms: number): void => {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms);
};

if (process.env["WORKER_KIND"] === "blocked") {
  process.send?.("busy", undefined, undefined, () => block(600_000));
} else {
  process.once("message", () => {
    setImmediate(() => {
      // What the pool says meanwhile lies unread in the channel when that is closed.
      block(200);
      process.disconnect();
      setTimeout(() => undefined, 300);
    });
  });
}
