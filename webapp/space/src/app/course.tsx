// How one value went over time: a line with its points, and the same as a table. Never color alone.

import type { JSX } from "preact";
import type { Point } from "../checkins.js";
import type { Formats } from "../formats.js";

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
      <details class="govuk-details">
        <summary class="govuk-details__summary">
          <span class="govuk-details__summary-text">
            The same as a table<span class="govuk-visually-hidden">: {title}</span>
          </span>
        </summary>
        <div class="govuk-details__text">
          <table class="govuk-table">
            <caption class="govuk-table__caption govuk-visually-hidden">{title}</caption>
            <thead class="govuk-table__head">
              <tr class="govuk-table__row">
                <th class="govuk-table__header" scope="col">
                  Date
                </th>
                <th class="govuk-table__header govuk-table__header--numeric" scope="col">{`Of ${highest}`}</th>
              </tr>
            </thead>
            <tbody class="govuk-table__body">
              {[...points].reverse().map((point) => (
                <tr class="govuk-table__row" key={point.at}>
                  <th class="govuk-table__header" scope="row">
                    {formats.date(new Date(point.at).toISOString())}
                  </th>
                  <td class="govuk-table__cell govuk-table__cell--numeric">{point.value}</td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      </details>
    </>
  );
}
