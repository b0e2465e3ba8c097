import { openLocalStore } from "../support/local-store.ts";
import { describeJobStore } from "./job-store-contract.ts";
import { describeTaskQueue } from "./task-queue-contract.ts";

describeJobStore("SQLite", () => openLocalStore());
describeJobStore("SQLite, safe from power cuts", () => openLocalStore("full"));
describeTaskQueue("SQLite", () => openLocalStore());
