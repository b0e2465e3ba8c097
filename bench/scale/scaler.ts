import {
  type BacklogRule,
  isEmpty,
  type Look,
  largestStep,
  scalingMinutes,
  shortfallOf,
  surplusOf,
} from "../../infra/src/backlog-rule.ts";

/** The three alarms of a service, each with its policy, as CloudWatch and Application Auto Scaling work them. */
export interface Scaler {
  /** Takes what is seen in one minute; gives how many workers there should be from then on. */
  look(seen: Look, nowSeconds: number): number;
}

/** Alarms that are all silent at first; `step` is how many workers one scaling may add or remove at most. */
export function createScaler(rule: BacklogRule, step = largestStep(rule)): Scaler {
  const minutes = scalingMinutes(rule);
  const held = { surplus: 0, empty: 0 };
  let [lastOutSeconds, lastInSeconds] = [Number.NEGATIVE_INFINITY, Number.NEGATIVE_INFINITY];
  return {
    look: (seen, nowSeconds) => {
      const { workers } = seen;
      const [shortfall, surplus] = [shortfallOf(seen, rule), surplusOf(seen, rule)];
      held.surplus = surplus >= 1 ? held.surplus + 1 : 0;
      held.empty = isEmpty(seen) ? held.empty + 1 : 0;
      if (held.empty >= minutes.empty) return 0;
      // One minute is enough to be short of workers.
      if (shortfall >= 1 && nowSeconds - lastOutSeconds >= rule.scaleOutCooldownSeconds) {
        lastOutSeconds = nowSeconds;
        return Math.min(rule.maxCapacity, workers + Math.min(shortfall, step));
      }
      if (held.surplus >= minutes.surplus && nowSeconds - lastInSeconds >= rule.scaleInCooldownSeconds) {
        lastInSeconds = nowSeconds;
        return workers - Math.min(surplus, step);
      }
      return workers;
    },
  };
}
