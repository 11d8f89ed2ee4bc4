// Leaving the program: what will be gone, what stays and until when; then the person types one word, and the space is
// erased.
//
// No request leaves before the word is typed: nobody learns that somebody read this page. Records under legal hold are
// therefore shown after it, and before anything is erased.

import type { JSX } from "preact";
import { useState } from "preact/hooks";
import { Field, Link, ProblemNote, Title, Visibility, WorkForm } from "../app/parts.js";
import { useWork } from "../app/work.js";
import { base64, unbase64 } from "../bytes.js";
import { constants, info } from "../constants.js";
import type { Context } from "../context.js";
import { open } from "../crypto/sealing.js";
import type { Formats } from "../formats.js";
import type { LegalHold } from "../net.js";

const WORD = "ERASE";

interface LeaveProps {
  readonly ctx: Context;
  readonly formats: Formats;
  /** Everything is destroyed; the words say until when backups hold a sealed copy. */
  readonly onErased: (words: string) => void;
}

export function LeavePage({ ctx, formats, onErased }: LeaveProps): JSX.Element {
  const [typed, setTyped] = useState("");
  const [error, setError] = useState("");
  const [holds, setHolds] = useState<readonly LegalHold[]>([]);
  const work = useWork();
  const until = formats.date(new Date(ctx.now().getTime() + constants.backup_days * 86_400_000).toISOString());

  const day = (date: string) => formats.date(`${date}T12:00:00Z`);

  const erase = () => {
    const right = typed.trim().toUpperCase() === WORD;
    setError(right ? "" : `Type the word ${WORD}.`);
    if (!right) return;
    work.run(async () => {
      const { challenge, holds: held } = await ctx.api.leaving();
      // Said once before anything is erased; the next click means it.
      if (held.length > holds.length) return setHolds(held);
      const seed = ctx.vault.all<{ seed: string }>("mailbox-key").at(-1)?.body.seed ?? "";
      const answer = await open(unbase64(seed), unbase64(challenge), info(constants.kinds.leave, ctx.handle));
      const { gone_by } = await ctx.api.leave(WORD, base64(answer));
      onErased(
        `Your private space is erased. The last backup that still holds it, sealed, is deleted by ${day(gone_by)}.`,
      );
    });
  };

  return (
    <>
      <Title>Leave the program</Title>
      <Visibility category="vault" />
      <p class="ww-lead">
        You can erase your private space at any time. You need no reason. No one is told that you left.
      </p>
      <h2 class="govuk-heading-m">Gone at once</h2>
      <ul class="govuk-list govuk-list--bullet">
        <li>Your check-ins, questionnaires, choices and conversations, with all earlier versions</li>
        <li>The calls listed here, and those on their way to you</li>
        <li>Your list of who looked</li>
        <li>All keys. Your six words and your recovery code will open nothing. No one can undo this</li>
        <li>Your sign-in code for this space. If you have another role in Wardwell, you keep the code for that role</li>
      </ul>
      <h2 class="govuk-heading-m">What stays</h2>
      <ul class="govuk-list govuk-list--bullet">
        <li>Your name on the roster, and the agency's own call records</li>
        <li>
          The agency's record that it followed up after a critical incident, with your corrections. It has a duty to
          keep it
        </li>
        <li>Group numbers that were published. They name no one</li>
        <li>What you wrote to a supporter: they have it in their own space</li>
        <li>
          In the public log: that some space was erased, not whose. Your old public key stays there under a random
          number
        </li>
        <li>
          Backups: until <strong>{until}</strong>. In them your space is sealed as it is here. If a backup is restored,
          your space is erased again before anyone can use it
        </li>
      </ul>
      <p class="govuk-body">
        Do you want to keep something? <Link to="#/export">Take a copy with you</Link> first. You can come back later
        with a new slip, to an empty space.
      </p>
      <ProblemNote problem={work.problem} />
      {holds.length > 0 && (
        <div class="ww-note" role="alert">
          <p class="govuk-body">
            The agency's own records about you are under legal hold: which calls you were on, follow-ups and
            corrections. They are kept until two people lift it, even if you leave. What is in this space is erased all
            the same.
          </p>
          <ul class="govuk-list govuk-list--bullet">
            {holds.map(({ matter, placed_on, reviewed_on }) => (
              <li key={matter}>
                Matter {matter}: since {day(placed_on)}, last reviewed on {day(reviewed_on)}
              </li>
            ))}
          </ul>
          <p class="govuk-body govuk-!-margin-0">Nothing has been erased yet. Press the button again to leave.</p>
        </div>
      )}
      <WorkForm action="Erase my private space" busyText="Erasing" busy={work.busy} onSubmit={erase}>
        <Field
          id="word"
          label={`Type ${WORD} to confirm`}
          value={typed}
          onValue={setTyped}
          width="govuk-input--width-10"
          {...(error ? { error } : {})}
        />
      </WorkForm>
    </>
  );
}
