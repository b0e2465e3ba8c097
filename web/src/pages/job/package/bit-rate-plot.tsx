import { useId, useLayoutEffect, useRef, useState } from "react";
import { DataTable } from "../../../ui/data-table.tsx";
import { formatBitRate, formatClock, showName } from "../../../ui/formats.ts";
import { layoutPlot, type PlotLayout } from "./plot-layout.ts";
import type { RungRates } from "./read-ladder.ts";

const COLOURS = 6;
const FIRST_WIDTH = 640;

/** The bit rate of every rung over time, as a picture and as a table. */
export function BitRatePlot({ rungs }: { readonly rungs: readonly RungRates[] }) {
  const [isOpen, setIsOpen] = useState(false);
  const known = rungs.filter(({ stretches }) => stretches.length > 0);
  if (known.length === 0) {
    return <p className="muted">The playlists of this package do not tell how large its segments are.</p>;
  }
  return (
    <figure className="stack">
      <figcaption>Bit rate of the pictures by segment</figcaption>
      <Plot rungs={known} />
      <details onToggle={(event) => setIsOpen(event.currentTarget.open)}>
        <summary>Bit rates as a table</summary>
        {isOpen && <RateTable rungs={known} />}
      </details>
    </figure>
  );
}

function Plot({ rungs }: { readonly rungs: readonly RungRates[] }) {
  const [titleId, textId] = [useId(), useId()];
  const box = useRef<HTMLDivElement>(null);
  const [width, setWidth] = useState(FIRST_WIDTH);
  useLayoutEffect(() => {
    if (box.current === null) return undefined;
    const observer = new ResizeObserver(([entry]) => setWidth(entry?.contentRect.width ?? FIRST_WIDTH));
    observer.observe(box.current);
    return () => observer.disconnect();
  }, []);
  const plot = layoutPlot(rungs, width);
  return (
    <div ref={box} className="plot-box">
      <svg
        className="plot"
        viewBox={`0 0 ${plot.widthPixels} ${plot.heightPixels}`}
        role="img"
        aria-labelledby={titleId}
        aria-describedby={textId}
      >
        <title id={titleId}>Bit rates of the rungs over time</title>
        <desc id={textId}>{describe(rungs)}</desc>
        <Axes plot={plot} />
        {plot.lines.map(({ name, label, path, labelY }, index) => (
          <g key={name} className={`plot-rung plot-colour-${index % COLOURS}`}>
            <path d={path} />
            <text x={plot.right + 8} y={labelY} dominantBaseline="middle">
              {label}
            </text>
          </g>
        ))}
      </svg>
    </div>
  );
}

function Axes({ plot }: { readonly plot: PlotLayout }) {
  const { left, right, bottom, rates, times } = plot;
  return (
    <g className="plot-axes">
      {rates.map(({ bitsPerSecond, y }) => (
        <g key={bitsPerSecond}>
          <line x1={left} x2={right} y1={y} y2={y} />
          <text x={left - 8} y={y} textAnchor="end" dominantBaseline="middle">
            {nameTick(bitsPerSecond)}
          </text>
        </g>
      ))}
      {times.map(({ seconds, x }) => (
        <text key={seconds} x={x} y={bottom + 18} textAnchor="middle">
          {formatClock(seconds)}
        </text>
      ))}
    </g>
  );
}

/** A round bit rate. */
function nameTick(bitsPerSecond: number): string {
  return bitsPerSecond < 1e6 ? `${bitsPerSecond / 1e3} kbit/s` : `${bitsPerSecond / 1e6} Mbit/s`;
}

function describe(rungs: readonly RungRates[]): string {
  const sentences = rungs.map(({ name, stretches }) => {
    const values = stretches.map(({ bitsPerSecond }) => bitsPerSecond);
    return `${showName(name)}: from ${formatBitRate(Math.min(...values))} to ${formatBitRate(Math.max(...values))}.`;
  });
  return sentences.join(" ");
}

/** A row for each stretch of the rung that has most. */
function RateTable({ rungs }: { readonly rungs: readonly RungRates[] }) {
  const longest = rungs.reduce((most, rung) => (rung.stretches.length > most.stretches.length ? rung : most));
  const columns = rungs.map(({ name }) => ({ title: showName(name), isNumber: true }) as const);
  return (
    <DataTable caption="Bit rates by segment" columns={["From", ...columns]}>
      {longest.stretches.map(({ startSeconds }, index) => (
        <tr key={startSeconds}>
          <td className="number">{formatClock(startSeconds)}</td>
          {rungs.map(({ name, stretches }) => (
            <td key={name} className="number">
              {stretches[index] === undefined ? "" : formatBitRate(stretches[index].bitsPerSecond)}
            </td>
          ))}
        </tr>
      ))}
    </DataTable>
  );
}
