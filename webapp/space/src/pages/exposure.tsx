// The officer's own exposure: counts, load and list, added up here and shown to nobody else.

import type { JSX } from "preact";
import { useEffect, useState } from "preact/hooks";
import { attended, countAgain, notThere, setAside } from "../adjustments.js";
import { BarChart } from "../app/chart.js";
import { Button, Details, Link, Note, NumberTable, Title, Visibility } from "../app/parts.js";
import { useRedraw } from "../app/work.js";
import { quietUntil } from "../choices.js";
import type { Context } from "../context.js";
import { contributions } from "../deliveries.js";
import {
  type Contribution,
  counted,
  current,
  type ExposureMonth,
  lastYear,
  type Month,
  model,
  modelDigest,
  type PatternName,
  roleTitle,
  type Summary,
  sourceOf,
  summarize,
  titleOf,
  typeOf,
} from "../exposure.js";
import { count, type Formats } from "../formats.js";
import { Past } from "./past.js";

const SHOWN = 20;

/**
 * Sessions whose numbers are hidden until shown again or locked: in page memory only, so that the choice does not last.
 */
const hidden = new WeakSet<Context>();

/** Whether the officer has hidden their numbers for now. */
export const isHidden = (ctx: Context): boolean => hidden.has(ctx);

/** The person's summary at this moment, from what lies in the vault. */
export function ownSummary(ctx: Context, at = ctx.now()): Summary {
  const folded = ctx.vault.all<ExposureMonth>("exposure-month").map(({ body }) => body);
  return summarize(attended(ctx.vault), at, ctx.site.time_zone, folded);
}

interface ExposureProps {
  readonly ctx: Context;
  readonly formats: Formats;
  /** The first session: the officer's history is on its way. */
  readonly waiting: boolean;
}

export function ExposurePage({ ctx, formats, waiting }: ExposureProps): JSX.Element {
  const redraw = useRedraw();
  const [whole, setWhole] = useState(false);
  // After drawing, so that earlier calls are on the paper too.
  useEffect(() => (whole ? print() : undefined), [whole]);
  const hide = (on: boolean) => {
    if (on) hidden.add(ctx);
    else hidden.delete(ctx);
    redraw();
  };
  if (isHidden(ctx)) return <HiddenForNow onShow={() => hide(false)} />;
  const at = ctx.now();
  const summary = ownSummary(ctx, at);
  const own = attended(ctx.vault);
  const months = lastYear(own, at, ctx.site.time_zone);
  const known = current(contributions(ctx.vault)).filter((call) => Date.parse(call.at) <= at.getTime());
  const aside = notThere(ctx.vault);
  const toggle = (id: string) => {
    (aside.has(id) ? countAgain : setAside)(ctx.vault, id);
    redraw();
  };
  const arriving = waiting && ctx.vault.all("history").length === 0;
  return (
    <>
      <Title>Your exposure</Title>
      <Visibility category="exposure" />
      <p class="ww-lead">
        Calls you attended that can weigh on people, added up in this browser.{" "}
        <strong>This is never shown to anyone but you.</strong>
      </p>
      {arriving && <Note role="status">Your history is being sealed to you. It appears here within seconds.</Note>}
      <div class="ww-actions ww-screen-only">
        <Button kind="secondary" onClick={() => hide(true)}>
          {" "}
          Hide for now
        </Button>
        <Button kind="secondary" onClick={() => (whole ? print() : setWhole(true))}>
          {" "}
          Print this page
        </Button>
        <span class="ww-muted">Others may find the paper, and the agency's printer may keep what it prints.</span>
      </div>
      <div class="ww-charts">
        <Counts summary={summary} />
        <Load summary={summary} />
      </div>
      <ByHand own={own} at={at} summary={summary} formats={formats} />
      {!quietUntil(ctx.vault, at) && <Patterns summary={summary} />}
      <YearChart months={months} formats={formats} />
      <Calls
        known={known.reverse()}
        whole={whole}
        aside={aside}
        toggle={toggle}
        formats={formats}
        corrections={`https://${ctx.site.hosts.desk}/corrections/`}
      />
      <Past api={ctx.api} />
      <Choices />
    </>
  );
}

function HiddenForNow({ onShow }: { onShow: () => void }): JSX.Element {
  return (
    <>
      <Title>Your exposure</Title>
      <Visibility category="exposure" />
      <p class="govuk-body">
        Your exposure is hidden, here and on your home page, until you show it again or lock your space. Nothing has
        changed, and calls keep arriving.
      </p>
      <Button onClick={onShow}> Show it again</Button>
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
        A call's weight depends on its kind and your part in it, and halves every {model.half_life_days} days. Compare
        the number only with your own from other months: there is no limit to stay under, and it predicts nothing.
      </p>
    </section>
  );
}

// What a pattern says, in words; the numbers are the model's and the person's own.
function patternText(name: PatternName, { patterns, same_kind }: Summary): string {
  const value = patterns[name];
  const { heavy_week, same_kind: same, long_days: long, short_turnarounds: short } = model.patterns;
  switch (name) {
    case "heavy_week":
      return `${count(value, "heavy call")} within ${heavy_week.days} days.`;
    case "same_kind":
      return `${count(value, "call")} of one kind within ${same.days} days: ${titleOf(same_kind)}.`;
    case "nights":
      return `${count(value, "night")} in a row.`;
    case "long_days":
      return `${count(value, "day")} of ${long.hours} hours or more within ${long.days} days.`;
    case "short_turnarounds":
      return `${count(value, "time")} at most ${short.most_hours} hours between shift days within ${short.days} days.`;
  }
}

function Patterns({ summary }: { summary: Summary }): JSX.Element | null {
  if (summary.found.length === 0) return null;
  return (
    <section class="ww-card">
      <h2 class="govuk-heading-m">Worth knowing</h2>
      {summary.found.map((name) => (
        <p class="govuk-body" key={name}>
          <strong>{model.patterns[name].title}.</strong> {patternText(name, summary)} {model.patterns[name].reason}
        </p>
      ))}
      <p class="govuk-body">
        {model.patterns_reason} If you would like to talk: <Link to="#/support">ask for support</Link>.
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
      <Details title="The same as a table">
        <NumberTable
          caption="Calls that weigh, and load at the month's end"
          head={["Month", "Calls", "Load at its end"]}
          rows={months.map(({ month, calls, load }) => [name(month), calls, load.toFixed(1)])}
        />
      </Details>
    </section>
  );
}

interface CallsProps {
  /** Every call that was sent, newest first: those set aside and those of an unknown kind too. */
  readonly known: readonly Contribution[];
  readonly aside: ReadonlySet<string>;
  readonly toggle: (id: string) => void;
  readonly formats: Formats;
}

function Calls({
  known,
  whole,
  corrections,
  ...rest
}: CallsProps & { readonly whole: boolean; readonly corrections: string }): JSX.Element {
  const shown = whole ? known.length : SHOWN;
  const calls = (some: readonly Contribution[]) => (
    <ol class="ww-timeline">
      {some.map((contribution) => (
        <Call key={contribution.id} contribution={contribution} {...rest} />
      ))}
    </ol>
  );
  return (
    <section>
      <h2 class="govuk-heading-m">Calls that count, and why</h2>
      <p class="govuk-body">
        Calls that weigh nothing are not sent to you: everyday calls, and calls of a kind that your agency has not
        mapped yet. Those are in none of the numbers on this page until it has.
      </p>
      <p class="govuk-body">
        If you were not at a call, leave it out of your numbers. The call stays in this list, and the change is made
        only here: your agency's record stays as it is, and nobody is told. To have the agency's own follow-up record
        corrected, <Link to={corrections}>ask under your own name</Link> on the staff pages.
      </p>
      {known.length === 0 && <p class="govuk-body">No calls on record.</p>}
      {calls(known.slice(0, shown))}
      {known.length > shown && (
        <Details title={count(known.length - shown, "earlier call")}>{() => calls(known.slice(shown))}</Details>
      )}
    </section>
  );
}

interface CallProps extends Omit<CallsProps, "known"> {
  readonly contribution: Contribution;
}

function Call({ contribution, aside, toggle, formats }: CallProps): JSX.Element {
  const { id, at, type, role, minutes } = contribution;
  const known = typeOf(type);
  const out = aside.has(id);
  return (
    <li>
      <p class="govuk-body">
        <strong>{formats.date(at)}</strong> – {titleOf(type)}
      </p>
      <p class="govuk-body ww-muted">
        {/* Many feeds do not say when a call ended; then nothing is known of its length. */}
        {roleTitle(role)}
        {minutes !== null && minutes > 0 && `, ${count(minutes, "minute")}`}.{" "}
        {known
          ? `Weight ${known.weight} of 10. ${known.why}`
          : "This kind is not in the list of kinds, so it weighs nothing."}
      </p>
      {out && <p class="govuk-body">You said that you were not there. It is left out of your numbers.</p>}
      {known && (
        <button type="button" class="govuk-button govuk-button--secondary ww-screen-only" onClick={() => toggle(id)}>
          {out ? "Count it again" : "I was not there"}
          <span class="govuk-visually-hidden">{` (${titleOf(type)}, ${formats.moment(at)})`}</span>
        </button>
      )}
    </li>
  );
}

interface ByHandProps {
  readonly own: readonly Contribution[];
  readonly at: Date;
  readonly summary: Summary;
  readonly formats: Formats;
}

function ByHand({ own, at, summary, formats }: ByHandProps): JSX.Element | null {
  if (own.length === 0) return null;
  return (
    <Details title="Add it up by hand">
      {() => (
        <>
          <p class="govuk-body">
            Each call counts weight × part × fading. Fading is 2 to the power of −(days ago ÷ {model.half_life_days}).
            The load is their sum.
          </p>
          {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reached by keyboard (WCAG 2.1.1) */}
          <section class="ww-scroll" tabIndex={0} aria-label="How each call counts">
            <NumberTable
              id="by-hand"
              caption="How each call counts today"
              head={["Call", "Weight", "Part", "Days ago", "Fading", "Counts"]}
              rows={counted(own, at)
                .reverse()
                .map(({ contribution: { at, type, role }, weight, factor, days, decay, counts }) => [
                  `${formats.moment(at)}: ${titleOf(type)}, ${roleTitle(role)}`,
                  ...[String(weight), factor.toFixed(1), days.toFixed(2), decay.toFixed(4), counts.toFixed(3)],
                ])}>
              <tfoot>
                <tr class="govuk-table__row">
                  <th class="govuk-table__header" scope="row" colSpan={5}>
                    Load
                  </th>
                  <td class="govuk-table__cell govuk-table__cell--numeric">{summary.load.toFixed(3)}</td>
                </tr>
              </tfoot>
            </NumberTable>
          </section>
        </>
      )}
    </Details>
  );
}

function Choices(): JSX.Element {
  const [digest, setDigest] = useState("");
  useEffect(() => void modelDigest().then(setDigest), []);
  const used = [...model.types, ...Object.values(model.patterns)].map(({ source }) => source);
  const cited = [...new Set(used)].filter((source) => source !== "none");
  return (
    <Details title="Where the weights come from">
      <p class="govuk-body">{model.note}</p>
      <p class="govuk-body">{model.weights_reason}</p>
      <p class="govuk-body">{model.half_life_reason}</p>
      <p class="govuk-body">{model.roles_reason}</p>
      <p class="govuk-body">{model.shift_day.reason}</p>
      <ul class="govuk-list govuk-list--bullet">
        {cited.map((source) => (
          <li key={source}>{sourceOf(source)}</li>
        ))}
      </ul>
      <p class="govuk-body">
        Version {model.version}, SHA-256 <span class="ww-digest">{digest}</span>. Anyone can compare it with what{" "}
        <code>wardwell exposure model show</code> prints.
      </p>
    </Details>
  );
}
