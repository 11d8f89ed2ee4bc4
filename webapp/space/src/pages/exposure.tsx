// The officer's own exposure: counts, load and list, added up here and shown to nobody else.

import type { JSX } from "preact";
import { BarChart } from "../app/chart.js";
import { count, type Formats } from "../app/format.js";
import { Title, Visibility } from "../app/parts.js";
import type { Context } from "../context.js";
import { contributions } from "../deliveries.js";
import {
  lastYear,
  model,
  roleTitle,
  sourceOf,
  summarize,
  titleOf,
  typeOf,
  weighing,
  type Contribution,
  type Month,
  type Summary,
} from "../exposure.js";
import type { ExposureMonth } from "../vault/compact.js";

const SHOWN = 20;

/** The person's summary at this moment, from what lies in the vault. */
export function ownSummary(ctx: Context): Summary {
  const folded = ctx.vault.all<ExposureMonth>("exposure-month").map(({ body }) => body);
  return summarize(contributions(ctx.vault), ctx.now(), ctx.site.time_zone, folded);
}

interface ExposureProps {
  readonly ctx: Context;
  readonly formats: Formats;
  /** The first session: the own history is on its way. */
  readonly waiting: boolean;
}

export function ExposurePage({ ctx, formats, waiting }: ExposureProps): JSX.Element {
  const summary = ownSummary(ctx);
  const own = weighing(contributions(ctx.vault), ctx.now()).reverse();
  const months = lastYear(own, ctx.now(), ctx.site.time_zone);
  const arriving = waiting && ctx.vault.all("history").length === 0;
  return (
    <>
      <Title>Your exposure</Title>
      <Visibility category="exposure" />
      <p class="ww-lead">
        Calls you attended that can weigh on people, added up in this browser.{" "}
        <strong>This is never shown to anyone but you.</strong>
      </p>
      {arriving && (
        <div class="ww-note" role="status">
          <p class="govuk-body govuk-!-margin-0">Your history is being sealed to you. It appears here within seconds.</p>
        </div>
      )}
      <div class="ww-charts">
        <Counts summary={summary} />
        <Load summary={summary} />
      </div>
      <Patterns summary={summary} />
      <YearChart months={months} formats={formats} />
      <Calls own={own} formats={formats} />
      <Choices />
    </>
  );
}

function Counts({ summary }: { summary: Summary }): JSX.Element {
  const rows: [string, number][] = [
    ...model.windows_days.map((days): [string, number] => [`Last ${days} days`, summary.counts[days] ?? 0]),
    ["On record", summary.counts.career ?? 0],
  ];
  return (
    <section class="ww-card">
      <h2 class="govuk-heading-m">Plain counts</h2>
      <dl class="ww-facts">
        {rows.map(([name, value]) => (
          <div key={name}>
            <dt>{name}</dt>
            <dd>{count(value, "call")}</dd>
          </div>
        ))}
      </dl>
      <p class="govuk-body">Research has found nothing that says more than these counts.</p>
    </section>
  );
}

function Load({ summary }: { summary: Summary }): JSX.Element {
  return (
    <section class="ww-card">
      <h2 class="govuk-heading-m">Weighted load today</h2>
      <p class="ww-number">{summary.load.toFixed(1)}</p>
      <p class="govuk-body">
        Each call weighs by its kind and your part in it, and counts half after {model.half_life_days} days. The number means
        something only beside your own numbers of other months; there is no limit to stay under, and it predicts nothing.
      </p>
    </section>
  );
}

function Patterns({ summary }: { summary: Summary }): JSX.Element | null {
  const { heavy_week, nights } = model.patterns;
  const found = [
    summary.heavy_week && { title: heavy_week.title, text: `${heavy_week.calls} heavy calls or more within ${heavy_week.days} days. ${heavy_week.reason}` },
    summary.nights && { title: nights.title, text: `${count(summary.nights_in_a_row, "night")} in a row. ${nights.reason}` },
  ].filter((pattern) => pattern !== false);
  if (found.length === 0) return null;
  return (
    <section class="ww-card">
      <h2 class="govuk-heading-m">Worth knowing</h2>
      {found.map(({ title, text }) => (
        <p class="govuk-body" key={title}>
          <strong>{title}.</strong> {text}
        </p>
      ))}
      <p class="govuk-body">
        Nobody is told about this. If you would like to talk: <a class="govuk-link" href="#/support">ask for support</a>.
      </p>
    </section>
  );
}

function YearChart({ months, formats }: { months: readonly Month[]; formats: Formats }): JSX.Element {
  // The middle of the month, so that no time zone moves it into the next one.
  const name = (month: string) => formats.month(`${month}-15T12:00:00Z`);
  const bars = months.map(({ month, calls }) => ({ name: name(month), value: calls }));
  const total = months.reduce((sum, { calls }) => sum + calls, 0);
  return (
    <section class="ww-card">
      <h2 class="govuk-heading-m">The last twelve months</h2>
      <p class="govuk-body">Calls that weigh, per month: {count(total, "call")} in all.</p>
      <BarChart title="Bar chart of calls per month; the table below says the same" bars={bars} />
      <details class="govuk-details">
        <summary class="govuk-details__summary">
          <span class="govuk-details__summary-text">The same as a table</span>
        </summary>
        <div class="govuk-details__text">
          <table class="govuk-table">
            <caption class="govuk-table__caption govuk-visually-hidden">Calls that weigh, and load at the month's end</caption>
            <thead class="govuk-table__head">
              <tr class="govuk-table__row">
                <th class="govuk-table__header" scope="col">Month</th>
                <th class="govuk-table__header govuk-table__header--numeric" scope="col">Calls</th>
                <th class="govuk-table__header govuk-table__header--numeric" scope="col">Load at its end</th>
              </tr>
            </thead>
            <tbody class="govuk-table__body">
              {months.map(({ month, calls, load }) => (
                <tr class="govuk-table__row" key={month}>
                  <th class="govuk-table__header" scope="row">{name(month)}</th>
                  <td class="govuk-table__cell govuk-table__cell--numeric">{calls}</td>
                  <td class="govuk-table__cell govuk-table__cell--numeric">{load.toFixed(1)}</td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      </details>
    </section>
  );
}

function Calls({ own, formats }: { own: readonly Contribution[]; formats: Formats }): JSX.Element {
  return (
    <section>
      <h2 class="govuk-heading-m">Calls that count, and why</h2>
      {own.length === 0 && <p class="govuk-body">None on record.</p>}
      <ol class="ww-timeline">
        {own.slice(0, SHOWN).map((contribution) => (
          <Call key={contribution.id} contribution={contribution} formats={formats} />
        ))}
      </ol>
      {own.length > SHOWN && (
        <details class="govuk-details">
          <summary class="govuk-details__summary">
            <span class="govuk-details__summary-text">{count(own.length - SHOWN, "earlier call")}</span>
          </summary>
          <div class="govuk-details__text">
            <ol class="ww-timeline">
              {own.slice(SHOWN).map((contribution) => (
                <Call key={contribution.id} contribution={contribution} formats={formats} />
              ))}
            </ol>
          </div>
        </details>
      )}
    </section>
  );
}

function Call({ contribution, formats }: { contribution: Contribution; formats: Formats }): JSX.Element {
  const { at, type, role, minutes } = contribution;
  const known = typeOf(type);
  return (
    <li>
      <p class="govuk-body">
        <strong>{formats.date(at)}</strong> – {titleOf(type)}
      </p>
      <p class="govuk-body ww-muted">
        {/* Many feeds do not say when a call ended; then nothing is known of its length. */}
        {roleTitle(role)}{minutes > 0 && `, ${count(minutes, "minute")}`}. Weight {known?.weight ?? 0} of 10. {known?.why}
      </p>
    </li>
  );
}

function Choices(): JSX.Element {
  const cited = [...new Set(model.types.map(({ source }) => source))];
  return (
    <details class="govuk-details">
      <summary class="govuk-details__summary">
        <span class="govuk-details__summary-text">Where the weights come from</span>
      </summary>
      <div class="govuk-details__text">
        <p class="govuk-body">{model.note}</p>
        <p class="govuk-body">{model.weights_reason}</p>
        <p class="govuk-body">{model.half_life_reason}</p>
        <p class="govuk-body">{model.roles_reason}</p>
        <ul class="govuk-list govuk-list--bullet">
          {cited.map((source) => (
            <li key={source}>{sourceOf(source)}</li>
          ))}
        </ul>
      </div>
    </details>
  );
}
