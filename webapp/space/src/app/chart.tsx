// A bar chart with a few bars, each labeled: never color alone, readable at 320 px and on paper.
//
// Names and values are the page's own text; only the bars are drawn. A table beside it says the same in words.

import type { JSX } from "preact";

export interface Bar {
  readonly name: string;
  readonly value: number;
}

/** Horizontal bars, longest as wide as there is room. */
export function BarChart({ title, bars }: { title: string; bars: readonly Bar[] }): JSX.Element {
  const most = Math.max(1, ...bars.map(({ value }) => value));
  return (
    <div class="ww-bars" role="img" aria-label={title}>
      {bars.map(({ name, value }) => [
        <span key={name}>{name}</span>,
        <svg key={`${name} bar`} viewBox="0 0 100 10" preserveAspectRatio="none" aria-hidden="true">
          <rect x="0" y="0" width={(value / most) * 100} height="10" />
        </svg>,
        <span key={`${name} value`}>{value}</span>,
      ])}
    </div>
  );
}
