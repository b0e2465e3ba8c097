import { startServer } from "../../src/apps/server/server.fixture.ts";
import { describeObjectLender } from "./object-lender-contract.ts";

describeObjectLender("A server", async () => {
  const server = await startServer();
  const { objects: store, url: base, batch, stop } = server;
  return { store, lender: batch.lender, base, isChecked: true, stop };
});
