/** One line of a plot. */
export interface Series {
  readonly name: string;
  readonly points: readonly (readonly [x: number, y: number])[];
  /** Where nothing is drawn between points, but from one to the next like stairs. */
  readonly isStepped?: boolean;
}

/** A plot of lines. */
export interface Plot {
  readonly title: string;
  /** What it shows, for whoever cannot see it. */
  readonly description: string;
  readonly x: Axis;
  readonly y: Axis;
  readonly series: readonly Series[];
}

/** One direction of a plot. */
export interface Axis {
  readonly title: string;
  readonly isLogarithmic: boolean;
  /** Where a rule and its label stand, rising; the first and the last are the ends. */
  readonly ticks: readonly (readonly [value: number, label: string])[];
}

const WIDTH = 760;
const HEIGHT = 420;
const MARGIN = { left: 80, right: 40, top: 40, bottom: 90 };
/** Told apart with every kind of colour sight (Okabe and Ito), on white and on black. */
const COLOURS = ["#0072b2", "#d55e00", "#009e73", "#cc79a7"];
/** And by their pattern, where there is no colour. */
const DASHES = ["", "8 4", "2 3", "10 3 2 3"];

/** A plot as an SVG document with a ground of its own, the same for the same figures. */
export function drawPlot({ title, description, x, y, series }: Plot): string {
  const place = { x: scaleOf(x, MARGIN.left, WIDTH - MARGIN.right), y: scaleOf(y, HEIGHT - MARGIN.bottom, MARGIN.top) };
  const lines = [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${HEIGHT}" width="${WIDTH}" height="${HEIGHT}" role="img" font-family="sans-serif" font-size="13">`,
    `<title>${escapeText(title)}</title>`,
    `<desc>${escapeText(description)}</desc>`,
    `<rect width="${WIDTH}" height="${HEIGHT}" fill="#ffffff"/>`,
    text(WIDTH / 2, 22, title, `text-anchor="middle" font-size="15"`),
    ...x.ticks.flatMap(([value, label]) => [
      rule(place.x(value), MARGIN.top, place.x(value), HEIGHT - MARGIN.bottom),
      text(place.x(value), HEIGHT - MARGIN.bottom + 18, label, `text-anchor="middle"`),
    ]),
    ...y.ticks.flatMap(([value, label]) => [
      rule(MARGIN.left, place.y(value), WIDTH - MARGIN.right, place.y(value)),
      text(MARGIN.left - 8, place.y(value) + 4, label, `text-anchor="end"`),
    ]),
    text((MARGIN.left + WIDTH - MARGIN.right) / 2, HEIGHT - MARGIN.bottom + 40, x.title, `text-anchor="middle"`),
    text(
      0,
      0,
      y.title,
      `text-anchor="middle" transform="translate(16 ${(HEIGHT - MARGIN.bottom + MARGIN.top) / 2}) rotate(-90)"`,
    ),
    ...series.map((one, index) => drawSeries(one, place, index)),
    ...series.map(({ name }, index) => drawKey(name, index, series.length)),
    "</svg>",
  ];
  return `${lines.join("\n")}\n`;
}

interface Place {
  readonly x: (value: number) => number;
  readonly y: (value: number) => number;
}

function scaleOf({ ticks, isLogarithmic }: Axis, from: number, to: number): (value: number) => number {
  const [least, most] = [ticks[0]?.[0] ?? 0, ticks.at(-1)?.[0] ?? 1];
  const measure = (value: number): number => (isLogarithmic ? Math.log(value) : value);
  return (value) => {
    // What is off the end is drawn at it.
    const inside = Math.min(most, Math.max(least, value));
    return from + ((measure(inside) - measure(least)) / (measure(most) - measure(least))) * (to - from);
  };
}

function drawSeries({ points, isStepped = false }: Series, place: Place, index: number): string {
  const path = points.map(([x, y], at) => {
    const [left, top] = [round(place.x(x)), round(place.y(y))];
    return at === 0 ? `M${left} ${top}` : isStepped ? `H${left}V${top}` : `L${left} ${top}`;
  });
  return `<path d="${path.join("")}" fill="none" stroke="${COLOURS[index % COLOURS.length]}" stroke-width="2" stroke-dasharray="${DASHES[index % DASHES.length]}"/>`;
}

function drawKey(name: string, index: number, count: number): string {
  const left = MARGIN.left + (index * (WIDTH - MARGIN.left - MARGIN.right)) / count;
  const top = HEIGHT - 22;
  const line = `<line x1="${round(left)}" y1="${top - 4}" x2="${round(left + 30)}" y2="${top - 4}" stroke="${COLOURS[index % COLOURS.length]}" stroke-width="2" stroke-dasharray="${DASHES[index % DASHES.length]}"/>`;
  return `${line}\n${text(left + 36, top, name, "")}`;
}

function rule(x1: number, y1: number, x2: number, y2: number): string {
  return `<line x1="${round(x1)}" y1="${round(y1)}" x2="${round(x2)}" y2="${round(y2)}" stroke="#dddddd"/>`;
}

function text(x: number, y: number, content: string, attributes: string): string {
  return `<text x="${round(x)}" y="${round(y)}" fill="#222222" ${attributes}>${escapeText(content)}</text>`;
}

function round(value: number): number {
  return Math.round(value * 10) / 10;
}

function escapeText(content: string): string {
  return content.replaceAll("&", "&amp;").replaceAll("<", "&lt;");
}
