// One value over time: a line with its points, and the same as a table. Never color alone.

import type { JSX } from "preact";
import type { Point } from "../checkins.js";
import type { Formats } from "../formats.js";
import { Details, NumberTable } from "./parts.js";

const WIDTH = 600;
const HEIGHT = 120;
const EDGE = 8;

interface CourseProps {
  readonly title: string;
  readonly points: readonly Point[];
  /** Milliseconds since 1970: the left and the right edge. */
  readonly from: number;
  readonly to: number;
  readonly highest: number;
  readonly formats: Formats;
}

export function Course({ title, points, from, to, highest, formats }: CourseProps): JSX.Element {
  const x = ({ at }: Point) => EDGE + ((at - from) / Math.max(1, to - from)) * (WIDTH - 2 * EDGE);
  const y = ({ value }: Point) => HEIGHT - EDGE - (value / highest) * (HEIGHT - 2 * EDGE);
  return (
    <>
      <svg
        class="ww-course"
        viewBox={`0 0 ${WIDTH} ${HEIGHT}`}
        role="img"
        aria-label={`${title}; the table below says the same`}>
        <line x1="0" x2={WIDTH} y1={HEIGHT - EDGE} y2={HEIGHT - EDGE} />
        <line x1="0" x2={WIDTH} y1={EDGE} y2={EDGE} />
        <polyline points={points.map((point) => `${x(point).toFixed(1)},${y(point).toFixed(1)}`).join(" ")} />
        {points.map((point) => (
          <circle key={point.at} cx={x(point).toFixed(1)} cy={y(point).toFixed(1)} r="4" />
        ))}
      </svg>
      <Details
        title={
          <>
            The same as a table<span class="govuk-visually-hidden">: {title}</span>
          </>
        }>
        <NumberTable
          caption={title}
          head={["Date", `Of ${highest}`]}
          rows={points.map(({ at, value }) => [formats.date(new Date(at).toISOString()), value]).reverse()}
        />
      </Details>
    </>
  );
}
