// Who looked: the officer's entries of the access log, opened here, folded, and checked against the public tree.

import type { JSX } from "preact";
import { Details, Icon, Note, ProblemNote, Title, Visibility } from "../app/parts.js";
import { charter } from "../constants.js";
import type { Context } from "../context.js";
import { type Findings, foldLooks, type Look } from "../entries.js";
import type { Entry } from "../entry.js";
import { count, type Formats } from "../formats.js";
import type { Problem } from "../net.js";
import type { Restored } from "../restores.js";

/** Purposes of the charter in words; one that is not listed is shown by its own name. */
const PURPOSES: Readonly<Record<string, string>> = {
  duty_of_care: "Duty of care",
  own: "Your own use",
  inform: "To inform",
  verify: "To verify",
  hand_over: "To hand over a slip",
  operate: "To run the appliance",
  propose: "To propose a role",
  countersign: "To countersign a role",
  hold: "Legal duty to keep records",
};

function words(name: string, known: Readonly<Record<string, string>>): string {
  const plain = name.replaceAll("_", " ");
  return known[name] ?? plain.charAt(0).toUpperCase() + plain.slice(1);
}

/** Looks by others in the last 30 days: how many were allowed, how many refused. */
export function recentLooks(ctx: Context): { allowed: number; refused: number } {
  const since = new Date(ctx.now().getTime() - 30 * 86_400_000).toISOString();
  const recent = ctx.vault.all<Entry>("entry").filter(({ body }) => body.at >= since && body.body.purpose !== "own");
  const refused = recent.filter(({ body }) => body.body.outcome === "refused").length;
  return { allowed: recent.length - refused, refused };
}

/** "In the last 30 days your record was opened 3 times by other people. 1 attempt was refused." */
export function Summary({ ctx }: { ctx: Context }): JSX.Element {
  const { allowed, refused } = recentLooks(ctx);
  return (
    <p class="ww-lead">
      In the last 30 days your record was opened <strong>{count(allowed, "time")}</strong> by other people.{" "}
      <strong>
        {refused === 0
          ? "No attempt was refused."
          : `${count(refused, "attempt")} ${refused === 1 ? "was" : "were"} refused.`}
      </strong>
    </p>
  );
}

interface WhoLookedProps {
  readonly ctx: Context;
  readonly findings: Findings | null;
  readonly problem: Problem | null;
  readonly formats: Formats;
}

export function WhoLookedPage({ ctx, findings, problem, formats }: WhoLookedProps): JSX.Element {
  const entries = ctx.vault.all<Entry>("entry").map(({ body }) => body);
  const looks = foldLooks(entries, formats.day);
  const restores = ctx.vault.all<Restored>("restored").map(({ body }) => body);
  const unproved = new Set([...(findings?.broken ?? []), ...(findings?.waiting ?? [])]);
  return (
    <>
      <Title>Who looked</Title>
      <Visibility category="access_log" />
      <Summary ctx={ctx} />
      <p class="govuk-body">
        Every attempt through Wardwell's pages and commands to reach something about you is listed, refused ones
        included. It was written down before anything was shown.
      </p>
      <ProblemNote problem={problem} />
      {restores.map(({ at, size, lost }) => (
        <Note key={at}>
          The appliance was restored from a backup on {formats.moment(at)}. {count(lost, "entry", "entries")} of the
          access log after number {size.toLocaleString("en-US")} {lost === 1 ? "was" : "were"} lost; both custody groups
          signed the restore. Entries about you stay in the list below.
        </Note>
      ))}
      {findings && <Checks findings={findings} total={entries.length} formats={formats} />}
      {looks.length === 0 ? (
        <p class="govuk-body">Nobody has looked at anything about you yet.</p>
      ) : (
        <table class="govuk-table ww-stack ww-looks">
          <caption class="govuk-visually-hidden">Attempts to see something about you, newest first</caption>
          <thead class="govuk-table__head">
            <tr class="govuk-table__row">
              {["When", "Who", "What", "Reason", "Outcome"].map((heading) => (
                <th class="govuk-table__header" scope="col" key={heading}>
                  {heading}
                </th>
              ))}
            </tr>
          </thead>
          <tbody class="govuk-table__body">
            {looks.map((look) => (
              <LookRow key={`${look.lost} ${look.sequences[0]}`} look={look} formats={formats} unproved={unproved} />
            ))}
          </tbody>
        </table>
      )}
    </>
  );
}

function LookRow(props: { look: Look; formats: Formats; unproved: ReadonlySet<number> }): JSX.Element {
  const { body, first, last, times, sequences, lost } = props.look;
  const refused = body.outcome === "refused";
  const waiting = !lost && sequences.some((sequence) => props.unproved.has(sequence));
  return (
    <tr class={`govuk-table__row${refused ? " ww-refused" : ""}`}>
      <td class="govuk-table__cell" data-label="When">
        {props.formats.moment(last)}
        {times > 1 && (
          <>
            <br />
            <span class="ww-muted">
              {count(times, "time")} that day, first at {props.formats.time(first)}
            </span>
          </>
        )}
      </td>
      <td class="govuk-table__cell" data-label="Who">
        <strong>{body.actor}</strong>
        <br />
        {charter.roles[body.actor_role] ?? body.actor_role}
      </td>
      <td class="govuk-table__cell" data-label="What">
        {charter.categories[body.category]?.title ?? body.category}
        {body.incident && ` (incident ${body.incident})`}
        {body.everyone && (
          <>
            <br />
            <span class="ww-muted">Everyone at this incident has this entry.</span>
          </>
        )}
        {body.note && (
          <>
            <br />
            <span class="ww-muted">{body.note}</span>
          </>
        )}
      </td>
      <td class="govuk-table__cell" data-label="Reason">
        {words(body.purpose, PURPOSES)}
      </td>
      <td class="govuk-table__cell" data-label="Outcome">
        <span class={`ww-outcome ww-outcome--${refused ? "no" : "yes"}`}>
          <Icon name={refused ? "cross" : "check"} />
          {refused ? "Refused" : "Allowed"}
        </span>
        {(lost || waiting) && (
          <>
            <br />
            <span class="ww-muted">{lost ? "Lost from the log in a restore" : "Not proved yet"}</span>
          </>
        )}
      </td>
    </tr>
  );
}

/** The results of the checks as sentences; alarms first. */
function Checks(props: { findings: Findings; total: number; formats: Formats }): JSX.Element {
  const { findings, formats } = props;
  const alarms = [
    findings.rewritten && "The log no longer begins with what you saw at your last visit: it was rewritten.",
    findings.keySwapped && "The log names a key for your entries and your exposure that is not yours.",
    findings.missing.length > 0 &&
      `${count(findings.missing.length, "entry", "entries")} of yours cannot be found: number ` +
        `${findings.missing.slice(0, 10).join(", ")}${findings.missing.length > 10 ? ", …" : ""}.`,
    findings.broken.length > 0 &&
      `${count(findings.broken.length, "entry does", "entries do")} not fit the public log.`,
  ].filter((sentence): sentence is string => typeof sentence === "string");
  return (
    <>
      {alarms.length > 0 && (
        <div class="govuk-error-summary" role="alert">
          <h2 class="govuk-error-summary__title">Something in this list does not add up</h2>
          <div class="govuk-error-summary__body">
            <ul class="govuk-list govuk-error-summary__list">
              {alarms.map((sentence) => (
                <li key={sentence}>{sentence}</li>
              ))}
            </ul>
            <p>Tell the officers' trustee, by phone or in person.</p>
          </div>
        </div>
      )}
      {findings.witnessLate && (
        <Note>
          The witness, who keeps the log honest,{" "}
          {findings.witnessedAt
            ? `last signed it on ${formats.moment(findings.witnessedAt.toISOString())}`
            : "has not signed it yet"}
          . Until it signs again, a rewritten log could go unnoticed.
        </Note>
      )}
      <Details title="How this list was checked">
        <p class="govuk-body">
          {count(props.total, "entry", "entries")} opened in this browser; {findings.waiting.length} waiting for the
          log's next checkpoint. Your entries are numbered, and each names the one before it, so a missing entry shows
          as a gap. Each was found in the public log of {findings.treeSize.toLocaleString("en-US")} leaves, under a
          checkpoint signed by the log's key
          {findings.witnessedAt && ` and seen by the witness on ${formats.moment(findings.witnessedAt.toISOString())}`}.
        </p>
        {findings.unopened.length > 0 && (
          <p class="govuk-body">
            {count(findings.unopened.length, "entry", "entries")} from before you had this space cannot be opened yet,
            or were sealed to a key that was replaced.
          </p>
        )}
        <p class="govuk-body">
          What this cannot show: looks at CAD itself, at a copy of a backup, or over your shoulder.
        </p>
      </Details>
    </>
  );
}
