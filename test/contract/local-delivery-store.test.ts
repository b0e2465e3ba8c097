import { openDatabase } from "../../src/adapters/local/database.ts";
import { createDeliveryStore } from "../../src/adapters/local/delivery-store.ts";
import { openLocalStore } from "../support/local-store.ts";
import { describeDeliveryStore } from "./delivery-store-contract.ts";

describeDeliveryStore("SQLite", async () => {
  const { path, database, clock, close } = await openLocalStore();
  const others: { close(): void }[] = [];
  return {
    store: createDeliveryStore(database, clock),
    clock,
    reopen: async () => {
      const other = openDatabase(path, "normal");
      others.push(other);
      return createDeliveryStore(other, clock);
    },
    close: async () => {
      for (const other of others) other.close();
      await close();
    },
  };
});
