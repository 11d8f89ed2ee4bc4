// Signing in from the private space: name, password and code at once, and the set-up of codes with a slip.

import type { JSX } from "preact";
import { useState } from "preact/hooks";
import { Field, Note, ProblemNote, Title, WorkForm } from "../app/parts.js";
import { QrCode } from "../app/qr.js";
import { useWork } from "../app/work.js";
import type { Gate } from "../session.js";
import { WorkstationNotice } from "./notice.js";

interface SignInProps {
  readonly gate: Gate;
  /** Signed in; `slip` is what was typed to set up codes, if anything. */
  readonly onReady: (slip: string) => void;
  readonly notice: string;
}

export function SignInPage({ gate, onReady, notice }: SignInProps): JSX.Element {
  const [needsSlip, setNeedsSlip] = useState(false);
  const [name, setName] = useState("");
  const [password, setPassword] = useState("");
  const [code, setCode] = useState("");
  const work = useWork();
  if (needsSlip) return <TotpSetup gate={gate} onReady={onReady} />;
  return (
    <>
      <Title focus={notice !== ""}>Sign in to your private space</Title>
      {notice && <Note role="status">{notice}</Note>}
      <ProblemNote problem={work.problem} />
      <WorkstationNotice />
      <WorkForm
        action="Sign in"
        busyText="Signing in"
        busy={work.busy}
        onSubmit={() =>
          work.run(async () => {
            const signedIn = await gate.signIn(name.trim(), password, code.trim());
            setPassword("");
            if (signedIn.state === "ready") onReady("");
            else setNeedsSlip(true);
          })
        }>
        <Field
          id="name"
          label="Name"
          hint="As you sign in to this agency's computers."
          value={name}
          onValue={setName}
          autocomplete="username"
          width="govuk-input--width-20"
        />
        <Field
          id="password"
          label="Password"
          type="password"
          value={password}
          onValue={setPassword}
          autocomplete="current-password"
          width="govuk-input--width-20"
        />
        <Field
          id="code"
          label="Code from your authenticator app"
          value={code}
          onValue={setCode}
          hint="Six digits. Leave it empty if you have not set up codes yet. If you lost your phone, type your new slip here."
          autocomplete="one-time-code"
          width="govuk-input--width-20"
        />
      </WorkForm>
    </>
  );
}

function TotpSetup({ gate, onReady }: Pick<SignInProps, "gate" | "onReady">): JSX.Element {
  const [slip, setSlip] = useState("");
  const [code, setCode] = useState("");
  const [secret, setSecret] = useState<{ secret: string; qr_svg: string } | null>(null);
  const work = useWork();
  if (!secret) {
    return (
      <>
        <Title>Set up sign-in codes</Title>
        <ProblemNote problem={work.problem} />
        <p class="govuk-body">
          Besides your password you need a code from an authenticator app on your own phone, so that nobody who resets
          your password can come in here. The officers' trustee hands out slips for this, to everybody alike.
        </p>
        <WorkForm
          action="Continue"
          busyText="Checking the slip"
          busy={work.busy}
          onSubmit={() => work.run(async () => setSecret(await gate.api.totpBegin(slip)))}>
          <Field
            id="slip"
            label="Code on your slip"
            hint="Four groups of five characters."
            value={slip}
            onValue={setSlip}
            width="govuk-input--width-20"
          />
        </WorkForm>
      </>
    );
  }
  return (
    <>
      <Title>Add Wardwell to your authenticator app</Title>
      <ProblemNote problem={work.problem} />
      <p class="govuk-body">Scan this picture with the app, or type the secret below it.</p>
      <QrCode svg={secret.qr_svg} />
      <p class="govuk-body">
        Secret: <span class="ww-code">{(secret.secret.match(/.{1,4}/g) ?? []).join(" ")}</span>
      </p>
      <WorkForm
        action="Continue"
        busyText="Checking the code"
        busy={work.busy}
        onSubmit={() =>
          work.run(async () => {
            await gate.api.totpConfirm(code.trim());
            onReady(slip);
          })
        }>
        <Field
          id="first-code"
          label="Code that the app shows now"
          hint="Six digits."
          value={code}
          onValue={setCode}
          inputMode="numeric"
          autocomplete="one-time-code"
          width="govuk-input--width-5"
        />
      </WorkForm>
    </>
  );
}
