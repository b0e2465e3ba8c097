import { createMpeg4VisualProbe } from "../../media/mpeg4-visual/mpeg4-visual-probe.ts";
import type { VolConfig } from "../../media/mpeg4-visual/vol-config.ts";
import { createVopClock, type VopTime } from "../../media/mpeg4-visual/vop-clock.ts";
import type { PacketParser } from "./packet-parser.ts";
import { createProbeParser, type ProbeSetup } from "./probe-parser.ts";

/** Finds MPEG-4 part 2 VOPs whose ends their own syntax tells; VOP times give their order. */
export function createMpeg4Parser(setup: ProbeSetup, config: VolConfig | undefined): PacketParser {
  const { probe } = createMpeg4VisualProbe(config);
  const clock = createVopClock();
  let isFirst = true;
  return {
    ...createProbeParser(setup, probe, (answer) => answer.time),
    commit(candidate) {
      const time = candidate.detail as VopTime;
      const poc = clock.presentationTicks(time);
      const startsSequence = isFirst;
      isFirst = false;
      return { poc, startsSequence, pocModulus: clock.isAbsolute ? 0 : time.resolution };
    },
    reset: () => clock.reset(),
  };
}
