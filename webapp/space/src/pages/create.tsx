// Making a private space, one step a page: what to know, slip and fingerprint, six words, recovery code.
//
// Owns: the draft of the new space until it is created.

import type { JSX } from "preact";
import { useEffect, useState } from "preact/hooks";
import { Button, Field, ProblemNote, Title, Visibility, Warning, WorkForm } from "../app/parts.js";
import { useWork } from "../app/work.js";
import { anonymous } from "../net.js";
import { type Gate, newSecrets, type Secrets, Session } from "../session.js";
import { fingerprintMatches, type PinnedKey, readClaimedTrustee } from "../site.js";
import { LearnSecrets } from "./learn_secrets.js";
import { WorkstationNotice } from "./notice.js";

interface CreateProps {
  readonly gate: Gate;
  readonly slip: string;
  readonly replace: boolean;
  readonly onOpen: (session: Session) => void;
}

type Step = "notice" | "trustee" | "secrets";

export function CreatePage({ gate, slip: typedSlip, replace, onOpen }: CreateProps): JSX.Element {
  const [step, setStep] = useState<Step>("notice");
  const [slip, setSlip] = useState(typedSlip);
  const [trustee, setTrustee] = useState<PinnedKey | null>(null);
  const [secrets, setSecrets] = useState<Secrets | null>(null);
  useEffect(() => void newSecrets().then(setSecrets), []);

  if (step === "notice" || !secrets) return <Notice replace={replace} onNext={() => setStep("trustee")} />;
  if (step === "trustee" || !trustee) {
    const next = (found: PinnedKey) => {
      setTrustee(found);
      setStep("secrets");
    };
    return <TrusteeStep gate={gate} slip={slip} onSlip={setSlip} onNext={next} />;
  }
  return (
    <LearnSecrets
      secrets={secrets}
      action="Create my private space"
      busyText="Creating your space"
      finish={() => Session.create(gate, slip, secrets, trustee, replace).then(onOpen)}
      otherwise={{ title: "Check the slip again", go: () => setStep("trustee") }}
    />
  );
}

function Notice({ replace, onNext }: { replace: boolean; onNext: () => void }): JSX.Element {
  return (
    <>
      <Title>{replace ? "Start over with an empty private space" : "Before you make your private space"}</Title>
      <Visibility category="vault" />
      {replace && (
        <Warning>
          The space that you have now is destroyed. Nothing in it, and nothing sealed to you before, can be read again.
        </Warning>
      )}
      <WorkstationNotice />
      <h2 class="govuk-heading-m">What the space does protect</h2>
      <p class="govuk-body">
        What you keep here is sealed in this browser with a key that only you have. The agency stores it and cannot open
        it. Nobody is told that you have a space, and nobody is told when you use it for support.
      </p>
      <h2 class="govuk-heading-m">Leaving in a hurry</h2>
      <p class="govuk-body">
        “Leave this page”, on every page, locks the space at once and shows the agency's sign-in page instead. It does
        not hide that you were here from software on this computer.
      </p>
      <Button onClick={onNext}> Continue</Button>
    </>
  );
}

function TrusteeStep(props: {
  gate: Gate;
  slip: string;
  onSlip: (slip: string) => void;
  onNext: (trustee: PinnedKey) => void;
}): JSX.Element {
  const [typed, setTyped] = useState("");
  const [error, setError] = useState("");
  const [found, setFound] = useState<PinnedKey | null>(null);
  const work = useWork();
  const compare = () =>
    work.run(async () => {
      const claimed = await readClaimedTrustee(anonymous(props.gate.fetch), props.gate.spaceBase);
      if (fingerprintMatches(claimed, typed)) return setFound(claimed);
      setError(
        "That is not the end of the key that this site shows. Check each character; capitals count. If it stays " +
          "different, stop here and call the officers' trustee.",
      );
    });
  if (found) {
    return (
      <>
        <Title>Compare the whole fingerprint</Title>
        <p class="govuk-body">The end fits. Is all of it the same as on your slip?</p>
        <p class="ww-code">{found.fingerprint}</p>
        <div class="ww-actions">
          <Button onClick={() => props.onNext(found)}> It is the same</Button>
          <Button kind="secondary" onClick={() => setFound(null)}>
            {" "}
            It is different
          </Button>
        </div>
      </>
    );
  }
  return (
    <>
      <Title>Your slip</Title>
      <ProblemNote problem={work.problem} />
      <p class="govuk-body">
        The officers' trustee gave you a slip. Its code shows that it is you. The fingerprint on it shows your browser
        who the trustee is: from now on this space accepts site settings and supporters' keys only with the trustee's
        signature.
      </p>
      <WorkForm action="Continue" busyText="Comparing" busy={work.busy} onSubmit={compare}>
        <Field
          id="slip"
          label="Code on your slip"
          hint="Four groups of five characters."
          value={props.slip}
          onValue={props.onSlip}
          width="govuk-input--width-20"
        />
        <Field
          id="fingerprint"
          label="Last eight characters of the fingerprint on your slip"
          hint="It begins with SHA256: and stands under the code. Capitals count."
          value={typed}
          onValue={setTyped}
          width="govuk-input--width-10"
          {...(error ? { error } : {})}
        />
      </WorkForm>
    </>
  );
}
