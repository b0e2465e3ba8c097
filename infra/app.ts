import { createReelmill } from "./src/reelmill.ts";
import { SettingError } from "./src/settings.ts";

try {
  createReelmill().app.synth();
} catch (error) {
  if (!(error instanceof SettingError)) throw error;
  // A trace would bury what is to be changed.
  process.stderr.write(`${error.message}\n`);
  process.exitCode = 1;
}
