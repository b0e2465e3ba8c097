import { createLocalFixture } from "./local-object-store.fixture.ts";
import { describeObjectStore } from "./object-store-contract.ts";

describeObjectStore("A folder", createLocalFixture);
