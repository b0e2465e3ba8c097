import { createReelmill } from "./src/reelmill.ts";
import { SettingError } from "./src/settings.ts";

try {
  createReelmill().app.synth();
} catch (error) {
  if (!(error instanceof SettingError)) throw error;
  // A trace would bury what is to be changed.
  console.error(error.message);
  process.exitCode = 1;
}
