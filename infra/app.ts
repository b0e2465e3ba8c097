import { createReelmill } from "./src/reelmill.ts";

createReelmill().app.synth();
