/** A server on a free port of loopback, for the benchmark: prints its port, ends with its input. */
import { startServer } from "../../src/apps/server/server.fixture.ts";

const server = await startServer({
  log: {
    debug: () => undefined,
    info: () => undefined,
    warn: () => undefined,
    error: console.error,
    child: () => server.log,
  },
});
console.log(server.port);
process.stdin.resume();
process.stdin.once("end", () => void server.stop());
