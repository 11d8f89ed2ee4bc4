// The first page of an open space: three cards, and the latest calls that count.

import type { JSX } from "preact";
import { attended } from "../adjustments.js";
import { Card, Link, Title, Visibility } from "../app/parts.js";
import type { Context } from "../context.js";
import { titleOf, weighing } from "../exposure.js";
import { count, type Formats } from "../formats.js";
import { isSupporter } from "../post/supporters.js";
import { isHidden, ownSummary } from "./exposure.js";
import { recentLooks } from "./who_looked.js";

function greeting(now: Date, timeZone: string, name: string): string {
  const hour = Number(new Intl.DateTimeFormat("en-US", { timeZone, hour: "numeric", hourCycle: "h23" }).format(now));
  const part = hour < 12 ? "morning" : hour < 18 ? "afternoon" : "evening";
  // Rosters write "Family, Given".
  const given = name.split(", ").at(-1) ?? name;
  return `Good ${part}, ${given.split(" ")[0] ?? given}`;
}

export function HomePage({
  ctx,
  formats,
  hasExposure,
}: {
  ctx: Context;
  formats: Formats;
  hasExposure: boolean;
}): JSX.Element {
  const hidden = isHidden(ctx);
  const own = hasExposure && !hidden ? weighing(attended(ctx.vault), ctx.now()) : [];
  const month = hasExposure ? (ownSummary(ctx).counts["30"] ?? 0) : 0;
  const { allowed, refused } = recentLooks(ctx);
  const latest = own.slice(-3).reverse();
  return (
    <>
      <Title>{greeting(ctx.now(), ctx.site.time_zone, ctx.name)}</Title>
      <div class="ww-grid">
        {hasExposure && (
          <Card title="Your exposure" category="exposure">
            {hidden ? (
              <p class="govuk-body">Hidden for now.</p>
            ) : (
              <>
                <p class="ww-number">{month}</p>
                <p class="govuk-body">{`${month === 1 ? "call" : "calls"} in the last 30 days that can weigh on people.`}</p>
              </>
            )}
            <p class="govuk-body">
              <Link to="#/exposure">See your exposure</Link>
            </p>
          </Card>
        )}
        {hasExposure && (
          <Card title="How are you?" category="vault">
            <p class="govuk-body">A one-minute check-in, or a short questionnaire. Nobody is watching this.</p>
            <p class="govuk-body">
              <Link to="#/check-in">Check in</Link> <Link to="#/questionnaires">Questionnaires</Link>
            </p>
          </Card>
        )}
        {hasExposure && (
          <Card title="Support" category="vault">
            <p class="govuk-body">
              Write to a peer supporter or a clinician. Only the person you choose can read it; your agency cannot tell
              that you wrote.
            </p>
            <p class="govuk-body">
              <Link to="#/support">Ask for support</Link>
            </p>
          </Card>
        )}
        {isSupporter(ctx) && (
          <Card title="Inbox" category="vault">
            <p class="govuk-body">What people wrote to you. Only you can open it.</p>
            <p class="govuk-body">
              <Link to="#/inbox">See your inbox</Link>
            </p>
          </Card>
        )}
        <Card title="Who looked" category="access_log">
          <p class="ww-number">{allowed}</p>
          <p class="govuk-body">
            {`${allowed === 1 ? "time" : "times"} your record was opened in the last 30 days. `}
            {refused > 0
              ? `${count(refused, "attempt")} ${refused === 1 ? "was" : "were"} refused.`
              : "No attempt was refused."}
          </p>
          <p class="govuk-body">
            <Link to="#/who-looked">See every access</Link>
          </p>
        </Card>
      </div>
      <p class="govuk-body">
        You can <Link to="#/words">change your words</Link>, <Link to="#/security-key">add a security key</Link> or{" "}
        <Link to="#/leave">leave the program</Link> at any time.
      </p>
      {latest.length > 0 && (
        <section>
          <h2 class="govuk-heading-m">Latest calls</h2>
          <Visibility category="exposure" />
          <p class="govuk-body">
            Calls you attended that can weigh on people. Only the type is kept, never the details.
          </p>
          <ul class="ww-timeline">
            {latest.map((contribution) => (
              <li key={contribution.id}>
                <p class="govuk-body">
                  <strong>{formats.date(contribution.at)}</strong> – {titleOf(contribution.type)}
                </p>
              </li>
            ))}
          </ul>
        </section>
      )}
    </>
  );
}
