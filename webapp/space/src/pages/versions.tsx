// Earlier versions: what is kept, what each would bring back, and taking it back.

import type { JSX } from "preact";
import { useState } from "preact/hooks";
import { Button, Note, ProblemNote, Title, Visibility } from "../app/parts.js";
import { useWork } from "../app/work.js";
import type { Formats } from "../formats.js";
import type { Session } from "../session.js";
import type { Snapshot } from "../vault/records.js";
import { compare, type Difference, type Earlier, takeBack } from "../versions.js";

export function VersionsPage({ session, formats }: { session: Session; formats: Formats }): JSX.Element {
  const { ctx } = session;
  const [kept, setKept] = useState<readonly Earlier[] | null>(null);
  const [done, setDone] = useState("");
  const work = useWork();
  const take = (content: Snapshot, { back, newer }: Difference, only: boolean) => {
    takeBack(ctx.vault, content, ctx.now(), only);
    const removed = only ? `, ${newer.length} removed` : "";
    setDone(`Done: ${back.length} came back${removed}. It is saved as a new version with the next save.`);
  };
  return (
    <>
      <Title>Earlier versions</Title>
      <Visibility category="vault" />
      <p class="ww-lead">
        On each day that you lock your space, the last version of that day is kept, for the last five such days. You can
        take back what you removed since.
      </p>
      <ul class="govuk-list govuk-list--bullet">
        <li>What comes back: check-ins, answers to questionnaires, and calls that are missing now.</li>
        <li>What does not: conversations that you ended. Your choices stay as they are.</li>
        <li>Nothing newer is lost, unless you choose “As it was that day”. The result is saved as a new version.</li>
        <li>When you change your words, all earlier versions are deleted.</li>
      </ul>
      <p class="govuk-body">
        Whoever runs the appliance can see that you asked for this list, not what you did with it.
      </p>
      <ProblemNote problem={work.problem} />
      {!kept && (
        <Button busy={work.busy} onClick={() => work.run(async () => setKept(await session.earlier()))}>
          {" "}
          Show earlier versions
        </Button>
      )}
      <div role="status">
        {done && <Note>{done}</Note>}
        {kept?.length === 0 && <p class="govuk-body">None is kept yet. The first one is kept when you lock.</p>}
      </div>
      {kept && kept.length > 0 && (
        <ul class="govuk-list">
          {kept.map(({ day, content }) => {
            // The middle of the day, so that no time zone moves it into another one.
            const date = formats.date(`${day}T12:00:00Z`);
            const found = content && compare(ctx.vault, content);
            return (
              <li class="ww-card" key={day}>
                <h2 class="govuk-heading-s">{date}</h2>
                {!content || !found ? (
                  <p class="govuk-body">
                    This version does not open: it was altered or is not the one it is said to be. Tell the officers'
                    trustee.
                  </p>
                ) : (
                  <>
                    <p class="govuk-body">
                      {`Would come back: ${found.back.length}. Written since: ${found.newer.length}.`}
                    </p>
                    <div class="ww-actions">
                      {found.back.length > 0 && (
                        <Button kind="secondary" last onClick={() => take(content, found, false)}>
                          {" "}
                          Take back<span class="govuk-visually-hidden"> what {date} has</span>
                        </Button>
                      )}
                      {found.newer.length > 0 && (
                        <Button kind="secondary" last onClick={() => take(content, found, true)}>
                          {" "}
                          As it was that day<span class="govuk-visually-hidden">, {date}</span>
                        </Button>
                      )}
                    </div>
                  </>
                )}
              </li>
            );
          })}
        </ul>
      )}
    </>
  );
}
