import type { Clock } from "../base/clock.ts";
import { checkBy, type HealthCheck, sound } from "./health-check.ts";
import { openLocal } from "./local-wiring.ts";
import type { Home, Opening, Parts } from "./parts.ts";

/** Opens what the home names, making what is missing on this machine. Throws STORE_UNAVAILABLE, NO_SPACE. */
export async function openParts(home: Home, opening: Opening): Promise<Parts> {
  if (home.backend === "local") return openLocal(home, opening);
  // What talks to AWS is loaded only for that.
  const { openAws } = await import("./aws-wiring.ts");
  return openAws(home, opening);
}

/** Looks at what keeps jobs and objects, by new connections where it is elsewhere. */
export async function checkPlace(home: Home, { store, objects }: Parts, clock: Clock): Promise<readonly HealthCheck[]> {
  if (home.backend === "aws") {
    const { checkAws } = await import("./aws-checks.ts");
    return await checkAws(home, clock);
  }
  return [
    await checkBy("database", home.data, "reelmill doctor", async () => {
      await store.lastChange();
      return sound("database", `the one in ${home.data} answers`);
    }),
    await checkBy("objects", home.data, "reelmill doctor", async () => {
      await objects.list("uploads/", { limit: 1 });
      return sound("objects", "can be read");
    }),
  ];
}
