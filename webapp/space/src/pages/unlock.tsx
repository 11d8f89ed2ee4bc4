// Unlocking with the six words or the recovery code, after signing in.

import type { JSX } from "preact";
import { useState } from "preact/hooks";
import { Button, Details, ProblemNote, Title, Visibility, WorkForm } from "../app/parts.js";
import { WordsField } from "../app/words_field.js";
import { useWork } from "../app/work.js";
import { type Gate, Session } from "../session.js";
import { unknownWords } from "../vault/secrets.js";
import { WorkstationNotice } from "./notice.js";

interface UnlockProps {
  readonly gate: Gate;
  readonly onOpen: (session: Session) => void;
  readonly onStartOver: () => void;
}

/** A recovery code has digits; of words, those come first that are drawn no more, or never were. */
function whatToCheck(typed: string): string {
  const odd = /\d/.test(typed) ? [] : unknownWords(typed);
  return odd.length > 0
    ? `Check “${odd.join("”, “")}” first: not in the list of words.`
    : "Check each word and their order.";
}

export function UnlockPage({ gate, onOpen, onStartOver }: UnlockProps): JSX.Element {
  const [typed, setTyped] = useState("");
  const [error, setError] = useState("");
  const work = useWork();
  const unlock = () => {
    setError("");
    work.run(async () => {
      const session = await Session.unlock(gate, typed);
      if (session) onOpen(session);
      else setError(`These words do not open your space. ${whatToCheck(typed)}`);
    });
  };
  const unlockByKey = () => {
    setError("");
    work.run(() => Session.unlockByKey(gate).then(onOpen));
  };
  return (
    <>
      <Title>Unlock your private space</Title>
      <Visibility category="vault" />
      <ProblemNote problem={work.problem} />
      <WorkForm action="Unlock" busyText="Unlocking" busy={work.busy} onSubmit={unlock}>
        <WordsField
          id="words"
          label="Six words, or your recovery code"
          value={typed}
          onValue={setTyped}
          hint="Type the first letters of a word; the words that fit appear below. A space completes the only one; Backspace undoes that."
          {...(error ? { error } : {})}
        />
      </WorkForm>
      <p class="govuk-body">
        <Button kind="secondary" busy={work.busy} onClick={unlockByKey}>
          {" "}
          Use a security key instead
        </Button>
      </p>
      <WorkstationNotice />
      <Details title="I have lost the words and the recovery code">
        <p class="govuk-body">
          Nobody can open your space then. With a new slip from the officers' trustee you can start over with an empty
          one.
        </p>
        <Button kind="secondary" onClick={onStartOver}>
          {" "}
          Start over with a new slip
        </Button>
      </Details>
    </>
  );
}
