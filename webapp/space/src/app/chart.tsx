// A bar chart with a few bars, each labelled, and its table: never color alone, readable at 320 px and on paper.
//
// Presentation attributes only, no style attribute. The table beside it says the same in words.

import type { JSX } from "preact";

export interface Bar {
  readonly name: string;
  readonly short: string;
  readonly value: number;
}

const ROW = 30;
const LABEL = 84;
const WIDTH = 420;

/** Horizontal bars: names stand beside, values behind the bars, so that text stays as large as the page's. */
export function BarChart({ title, description, bars }: {
  title: string;
  description: string;
  bars: readonly Bar[];
}): JSX.Element {
  const most = Math.max(1, ...bars.map(({ value }) => value));
  const scale = (value: number) => (value / most) * (WIDTH - LABEL - 40);
  return (
    <svg class="ww-chart" viewBox={`0 0 ${WIDTH} ${bars.length * ROW + 4}`} role="img" aria-label={`${title}. ${description}`}>
      <title>{title}</title>
      <desc>{description}</desc>
      <line class="ww-chart-grid" x1={LABEL} y1="0" x2={LABEL} y2={bars.length * ROW} stroke-width="1" />
      {bars.map(({ name, short, value }, row) => (
        <g key={name}>
          <text x={LABEL - 8} y={row * ROW + 20} text-anchor="end" font-size="16">
            {short}
          </text>
          <rect class="ww-chart-bar" x={LABEL} y={row * ROW + 5} width={scale(value)} height={ROW - 10} />
          <text x={LABEL + scale(value) + 6} y={row * ROW + 20} font-size="16">
            {value}
          </text>
        </g>
      ))}
    </svg>
  );
}
