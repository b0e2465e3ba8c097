import { flushCompileCache } from "node:module";
import { copyRepair, createTestEdge, examineName, pipelineRepair } from "./edge.fixture.ts";

/** A process that watches a folder until it is killed: `root originalsFolder`, both absolute, and `pipeline` or `copy`. */
const [root = "", originalsFolder = "", kind = ""] = process.argv.slice(2);

const work = kind === "copy" ? { repair: copyRepair, examine: examineName } : { repair: pipelineRepair };
const { service } = createTestEdge(root, { originalsFolder, scanIntervalMs: 100 }, work);
service.start();
process.stdout.write("started\n");
// Killed processes keep nothing of what they compiled, and the next one would compile it again.
flushCompileCache();
