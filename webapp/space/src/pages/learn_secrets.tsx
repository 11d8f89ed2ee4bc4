// Learning two fresh secrets, one step a page: six words, typing them, the recovery code and its last group.
//
// Nothing is changed before the last step. What the steps show is shown once.

import type { JSX } from "preact";
import { useState } from "preact/hooks";
import { Button, Field, ProblemNote, Title, Visibility, WorkForm } from "../app/parts.js";
import { WordsField } from "../app/words_field.js";
import { useWork } from "../app/work.js";
import type { Secrets } from "../session.js";
import { readPassphrase, readRecoveryCode } from "../vault/secrets.js";

interface LearnSecretsProps {
  readonly secrets: Secrets;
  /** The last button, and what it says while `finish` runs. */
  readonly action: string;
  readonly busyText: string;
  readonly finish: () => Promise<void>;
  /** What else can be done when `finish` fails. */
  readonly otherwise?: { readonly title: string; readonly go: () => void };
}

export function LearnSecrets(props: LearnSecretsProps): JSX.Element {
  const [step, setStep] = useState<"words" | "confirm" | "recovery">("words");
  const { words, passphrase } = props.secrets;
  if (step === "words") return <WordsStep words={words} onNext={() => setStep("confirm")} />;
  if (step === "confirm") {
    const back = () => setStep("words");
    return <ConfirmStep passphrase={passphrase} onBack={back} onNext={() => setStep("recovery")} />;
  }
  return <RecoveryStep {...props} />;
}

function WordsStep({ words, onNext }: { words: readonly string[]; onNext: () => void }): JSX.Element {
  return (
    <>
      <Title>Your six words</Title>
      <Visibility category="vault" />
      <p class="govuk-body">
        These words open your space. They were drawn just now in this browser, they are shown once, and nobody can look
        them up for you. Say them to yourself a few times; a story helps.
      </p>
      <ol class="ww-words">
        {words.map((word, index) => (
          <li key={index}>
            <span>{index + 1}</span>
            {word}
          </li>
        ))}
      </ol>
      <Button onClick={onNext}> I know them</Button>
    </>
  );
}

function ConfirmStep(props: { passphrase: string; onBack: () => void; onNext: () => void }): JSX.Element {
  const [typed, setTyped] = useState("");
  const [error, setError] = useState("");
  const check = () => {
    if (readPassphrase(typed) === props.passphrase) props.onNext();
    else setError("These are not the six words, in their order.");
  };
  return (
    <>
      <Title>Type your six words</Title>
      <WorkForm action="Continue" busyText="Checking" busy={false} onSubmit={check}>
        <WordsField
          id="words"
          label="Six words"
          hint="Type the first letters; the words that fit appear below."
          value={typed}
          onValue={setTyped}
          {...(error ? { error } : {})}
        />
      </WorkForm>
      <p class="govuk-body">
        <Button kind="secondary" onClick={props.onBack}>
          {" "}
          Show them again
        </Button>
      </p>
    </>
  );
}

function RecoveryStep({ secrets, action, busyText, finish, otherwise }: LearnSecretsProps): JSX.Element {
  const { recovery } = secrets;
  const [typed, setTyped] = useState("");
  const [error, setError] = useState("");
  const work = useWork();
  const done = () =>
    work.run(async () => {
      const right = (await readRecoveryCode(`${recovery.slice(0, -4)}${typed.trim()}`)) === recovery;
      setError(right ? "" : "That is not the last group of the code.");
      if (right) await finish();
    });
  return (
    <>
      <Title>Your recovery code</Title>
      <ProblemNote problem={work.problem} />
      {work.problem !== null && otherwise && (
        <p class="govuk-body">
          <Button kind="secondary" onClick={otherwise.go}>
            {" "}
            {otherwise.title}
          </Button>
        </p>
      )}
      <p class="govuk-body">
        If you forget the words, this code opens your space. Print it or write it down, and keep it at home. Without the
        words and without this code nobody can open your space, not even the people who run it.
      </p>
      <p class="ww-code">{recovery}</p>
      <p class="govuk-body ww-screen-only">
        <Button kind="secondary" onClick={() => print()}>
          {" "}
          Print this page
        </Button>
      </p>
      <div class="ww-screen-only">
        <WorkForm action={action} busyText={busyText} busy={work.busy} onSubmit={done}>
          <Field
            id="last-group"
            label="Last group of the code"
            hint="Four characters, from your paper."
            value={typed}
            onValue={setTyped}
            width="govuk-input--width-5"
            {...(error ? { error } : {})}
          />
        </WorkForm>
      </div>
    </>
  );
}
