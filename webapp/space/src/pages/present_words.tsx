// Asked before anything changes what opens a space: whoever finds it open must not be able to keep its owner out.

import type { JSX } from "preact";
import { useState } from "preact/hooks";
import { ProblemNote, WorkForm } from "../app/parts.js";
import { WordsField } from "../app/words_field.js";
import { useWork } from "../app/work.js";
import type { Session } from "../session.js";

export function PresentWords({ session, onKnown }: { session: Session; onKnown: () => void }): JSX.Element {
  const [typed, setTyped] = useState("");
  const [error, setError] = useState("");
  const work = useWork();
  const check = () =>
    work.run(async () => {
      const known = await session.knows(typed);
      setError(known ? "" : "These words do not open this space.");
      if (known) onKnown();
    });
  return (
    <>
      <ProblemNote problem={work.problem} />
      <WorkForm action="Continue" busyText="Checking" busy={work.busy} onSubmit={check}>
        <WordsField
          id="present"
          label="The words you have now, or your recovery code"
          hint="Type the first letters; the words that fit appear below."
          value={typed}
          onValue={setTyped}
          {...(error ? { error } : {})}
        />
      </WorkForm>
    </>
  );
}
