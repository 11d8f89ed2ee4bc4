// Making a private space, one step a page: what to know, slip and fingerprint, six words, recovery code.
//
// Owns: the draft of the new space until it is created. Both secrets are drawn here and shown once.

import type { JSX } from "preact";
import { useEffect, useState } from "preact/hooks";
import { Field, ProblemNote, Title, Visibility, WorkForm } from "../app/parts.js";
import { useWork } from "../app/work.js";
import { WordsField } from "../app/words_field.js";
import { anonymous } from "../net.js";
import { newSecrets, Session, type Gate } from "../session.js";
import { fingerprintMatches, readClaimedTrustee, type PinnedTrustee } from "../site.js";
import { readPassphrase, readRecoveryCode } from "../vault/secrets.js";
import { WorkstationNotice } from "./notice.js";

interface CreateProps {
  readonly gate: Gate;
  readonly slip: string;
  readonly replace: boolean;
  readonly onOpen: (session: Session) => void;
}

type Step = "notice" | "trustee" | "words" | "confirm" | "recovery";

export function CreatePage({ gate, slip: typedSlip, replace, onOpen }: CreateProps): JSX.Element {
  const [step, setStep] = useState<Step>("notice");
  const [slip, setSlip] = useState(typedSlip);
  const [trustee, setTrustee] = useState<PinnedTrustee | null>(null);
  const [secrets, setSecrets] = useState<{ passphrase: string; recovery: string } | null>(null);
  useEffect(() => void newSecrets().then(setSecrets), []);

  if (step === "notice" || !secrets) return <Notice replace={replace} onNext={() => setStep("trustee")} />;
  if (step === "trustee" || !trustee) {
    const next = (found: PinnedTrustee) => {
      setTrustee(found);
      setStep("words");
    };
    return <TrusteeStep gate={gate} slip={slip} onSlip={setSlip} onNext={next} />;
  }
  if (step === "words") return <WordsStep passphrase={secrets.passphrase} onNext={() => setStep("confirm")} />;
  if (step === "confirm") {
    const back = () => setStep("words");
    return <ConfirmStep passphrase={secrets.passphrase} onBack={back} onNext={() => setStep("recovery")} />;
  }
  const create = () => Session.create(gate, slip, secrets, trustee, replace).then(onOpen);
  return <RecoveryStep recovery={secrets.recovery} create={create} onBack={() => setStep("trustee")} />;
}

function Notice({ replace, onNext }: { replace: boolean; onNext: () => void }): JSX.Element {
  return (
    <>
      <Title>{replace ? "Start over with an empty private space" : "Before you make your private space"}</Title>
      <Visibility category="vault" />
      {replace && (
        <div class="govuk-warning-text">
          <span class="govuk-warning-text__icon" aria-hidden="true">
            !
          </span>
          <strong class="govuk-warning-text__text">
            <span class="govuk-visually-hidden">Warning</span>
            The space that you have now is destroyed. Nothing in it, and nothing sealed to you before, can be read again.
          </strong>
        </div>
      )}
      <WorkstationNotice />
      <h2 class="govuk-heading-m">What the space does protect</h2>
      <p class="govuk-body">
        What you keep here is sealed in this browser with a key that only you have. The agency stores it and cannot open it.
        Nobody is told that you have a space, and nobody is told when you use it for support.
      </p>
      <h2 class="govuk-heading-m">Leaving in a hurry</h2>
      <p class="govuk-body">
        “Leave this page”, on every page, locks the space at once and shows the agency's sign-in page instead. It does not
        hide that you were here from software on this computer.
      </p>
      <button type="button" class="govuk-button" onClick={onNext}>
        Continue
      </button>
    </>
  );
}

function TrusteeStep(props: {
  gate: Gate;
  slip: string;
  onSlip: (slip: string) => void;
  onNext: (trustee: PinnedTrustee) => void;
}): JSX.Element {
  const [typed, setTyped] = useState("");
  const [error, setError] = useState("");
  const [found, setFound] = useState<PinnedTrustee | null>(null);
  const work = useWork();
  const compare = () =>
    work.run(async () => {
      const claimed = await readClaimedTrustee(anonymous(props.gate.fetch), props.gate.spaceBase);
      if (fingerprintMatches(claimed, typed)) return setFound(claimed);
      setError("That is not the end of the key that this site shows. Check each character; capitals count. If it stays " +
        "different, stop here and call the officers' trustee.");
    });
  if (found) {
    return (
      <>
        <Title>Compare the whole fingerprint</Title>
        <p class="govuk-body">The end fits. Is all of it the same as on your slip?</p>
        <p class="ww-code">{found.fingerprint}</p>
        <div class="ww-actions">
          <button type="button" class="govuk-button" onClick={() => props.onNext(found)}>
            It is the same
          </button>
          <button type="button" class="govuk-button govuk-button--secondary" onClick={() => setFound(null)}>
            It is different
          </button>
        </div>
      </>
    );
  }
  return (
    <>
      <Title>Your slip</Title>
      <ProblemNote problem={work.problem} />
      <p class="govuk-body">
        The officers' trustee gave you a slip. Its code shows that it is you. The fingerprint on it shows your browser who the
        trustee is: from now on this space accepts site settings and supporters' keys only with the trustee's signature.
      </p>
      <WorkForm action="Continue" busyText="Comparing" busy={work.busy} onSubmit={compare}>
        <Field id="slip" label="Code on your slip" hint="Four groups of five characters." value={props.slip}
          onValue={props.onSlip} width="govuk-input--width-20" />
        <Field id="fingerprint" label="Last eight characters of the fingerprint on your slip"
          hint="It begins with SHA256: and stands under the code. Capitals count." value={typed} onValue={setTyped}
          width="govuk-input--width-10" {...(error ? { error } : {})} />
      </WorkForm>
    </>
  );
}

function WordsStep({ passphrase, onNext }: { passphrase: string; onNext: () => void }): JSX.Element {
  return (
    <>
      <Title>Your six words</Title>
      <Visibility category="vault" />
      <p class="govuk-body">
        These words open your space. They were drawn just now in this browser, they are shown once, and nobody can look them
        up for you. Say them to yourself a few times; a story helps.
      </p>
      <ol class="ww-words">
        {passphrase.split("-").map((word, index) => (
          <li key={word}>
            <span>{index + 1}</span>
            {word}
          </li>
        ))}
      </ol>
      <button type="button" class="govuk-button" onClick={onNext}>
        I know them
      </button>
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
        <WordsField id="words" label="Six words" hint="Type the first letters; the words that fit appear below." value={typed}
          onValue={setTyped} {...(error ? { error } : {})} />
      </WorkForm>
      <p class="govuk-body">
        <button type="button" class="govuk-button govuk-button--secondary" onClick={props.onBack}>
          Show them again
        </button>
      </p>
    </>
  );
}

function RecoveryStep(props: { recovery: string; create: () => Promise<void>; onBack: () => void }): JSX.Element {
  const [typed, setTyped] = useState("");
  const [error, setError] = useState("");
  const work = useWork();
  const create = () =>
    work.run(async () => {
      if ((await readRecoveryCode(`${props.recovery.slice(0, -4)}${typed.trim()}`)) !== props.recovery) {
        setError("That is not the last group of the code.");
        return;
      }
      await props.create();
    });
  return (
    <>
      <Title>Your recovery code</Title>
      <ProblemNote problem={work.problem} />
      {work.problem !== null && (
        <p class="govuk-body">
          <button type="button" class="govuk-button govuk-button--secondary" onClick={props.onBack}>
            Check the slip again
          </button>
        </p>
      )}
      <p class="govuk-body">
        If you forget the words, this code opens your space. Print it or write it down, and keep it at home. Without the words
        and without this code nobody can open your space, not even the people who run it.
      </p>
      <p class="ww-code">{props.recovery}</p>
      <p class="govuk-body ww-screen-only">
        <button type="button" class="govuk-button govuk-button--secondary" onClick={() => print()}>
          Print this page
        </button>
      </p>
      <div class="ww-screen-only">
        <WorkForm action="Create my private space" busyText="Creating your space" busy={work.busy} onSubmit={create}>
          <Field id="last-group" label="Last group of the code" hint="Four characters, from your paper." value={typed}
            onValue={setTyped} width="govuk-input--width-5" {...(error ? { error } : {})} />
        </WorkForm>
      </div>
    </>
  );
}
