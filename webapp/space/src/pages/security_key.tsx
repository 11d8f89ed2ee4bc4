// A security key that opens the space as the words do.

import type { JSX } from "preact";
import { useState } from "preact/hooks";
import { Button, Note, ProblemNote, Title, Visibility } from "../app/parts.js";
import { useWork } from "../app/work.js";
import type { Session } from "../session.js";
import { PresentWords } from "./present_words.js";

export function SecurityKeyPage({ session }: { session: Session }): JSX.Element {
  const [step, setStep] = useState<"words" | "key" | "done">("words");
  const work = useWork();
  const add = () => work.run(() => session.addKey().then(() => setStep("done")));
  return (
    <>
      <Title>Add a security key</Title>
      <Visibility category="vault" />
      <p class="ww-lead">
        A FIDO2 key with a PIN, such as one for USB, can open your space instead of the words. Software on this computer
        can record what you type; it cannot copy the key.
      </p>
      <ul class="govuk-list govuk-list--bullet">
        <li>Your words and your recovery code keep working. Keep them: a key can be lost.</li>
        <li>Use a key of your own. Whoever has it and its PIN, and can sign in as you, opens your space.</li>
        <li>One key at a time: adding another ends the first one. To end it without another, change your words.</li>
        <li>
          Nothing is stored on the key. “Who looked” lists that you added one; whoever runs the appliance can see that
          too.
        </li>
      </ul>
      {step === "words" && <PresentWords session={session} onKnown={() => setStep("key")} />}
      <ProblemNote problem={work.problem} />
      {step === "key" && (
        <>
          <p class="govuk-body">
            The browser asks for the key twice: once to make it known, once to seal your space to it.
          </p>
          <Button busy={work.busy} onClick={add}>
            {" "}
            {work.busy ? "Waiting for the key" : "Add the key"}
          </Button>
        </>
      )}
      <div role="status">{step === "done" && <Note>The key was added. It opens your space from now on.</Note>}</div>
    </>
  );
}
