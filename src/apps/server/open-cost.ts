import { availableParallelism } from "node:os";
import type { Environment } from "../../base/config-defaults.ts";
import type { PriceTable } from "../../cost/price-table.ts";
import { findFfmpeg } from "../../ffmpeg/programs.ts";
import { type CostService, createCostService } from "../cost/cost-service.ts";
import { createObjectExaminer } from "../cost/examined-file.ts";
import type { Home, Parts } from "../parts.ts";

/** Whose jobs' costs are told. */
export interface CostOpening {
  readonly home: Home;
  readonly parts: Parts;
  readonly prices: PriceTable;
  readonly environment: Environment;
  readonly signal: AbortSignal;
}

/** Tells what jobs cost. For an estimate nothing is downloaded: of objects elsewhere the size alone is known. */
export function openCost({ home, parts, prices, environment, signal }: CostOpening): CostService {
  const findTools = async () => (home.backend === "aws" ? undefined : await findFfmpeg(environment));
  const examine = createObjectExaminer(parts.objects, findTools, signal);
  return createCostService({ ...parts, prices, cores: availableParallelism(), examine });
}
