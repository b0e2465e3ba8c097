import { openLocal } from "./local-wiring.ts";
import type { Home, Opening, Parts } from "./parts.ts";

/** Opens what the home names, making what is missing on this machine. Throws STORE_UNAVAILABLE, NO_SPACE. */
export async function openParts(home: Home, opening: Opening): Promise<Parts> {
  if (home.backend === "local") return openLocal(home, opening);
  // What talks to AWS is loaded only for that.
  const { openAws } = await import("./aws-wiring.ts");
  return openAws(home, opening);
}
