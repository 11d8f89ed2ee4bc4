// New words: who is here shows that they know the present ones, learns new ones, and then the old ones open nothing.

import type { JSX } from "preact";
import { useState } from "preact/hooks";
import { Link, Title, Visibility } from "../app/parts.js";
import { constants } from "../constants.js";
import type { Formats } from "../formats.js";
import { Problem } from "../net.js";
import { newSecrets, type Secrets, type Session } from "../session.js";
import { LearnSecrets } from "./learn_secrets.js";
import { PresentWords } from "./present_words.js";

interface ChangeWordsProps {
  readonly session: Session;
  readonly formats: Formats;
}

export function ChangeWordsPage({ session, formats }: ChangeWordsProps): JSX.Element {
  const [secrets, setSecrets] = useState<Secrets | null>(null);
  const [changed, setChanged] = useState(false);
  if (changed) {
    return (
      <>
        <Title>Your words were changed</Title>
        <p class="govuk-body">
          The new words and the new recovery code open your space from now on. Destroy what you have of the old ones.
        </p>
        <p class="govuk-body">
          <Link to="#/">Go to your home page</Link>
        </p>
      </>
    );
  }
  if (!secrets) return <Before session={session} formats={formats} onNext={() => void newSecrets().then(setSecrets)} />;
  const change = async () => {
    await session.changeSecrets(secrets).catch((error: unknown) => {
      if (!(error instanceof Problem) || error.code !== "unreachable") throw error;
      throw new Problem(
        error.code,
        "Wardwell did not answer, so it is not certain which words open your space now.",
        "Keep the old and the new ones. Press the button again until this page says that they were changed.",
      );
    });
    setChanged(true);
  };
  return <LearnSecrets secrets={secrets} action="Change my words" busyText="Changing your words" finish={change} />;
}

function Before({ session, formats, onNext }: ChangeWordsProps & { onNext: () => void }): JSX.Element {
  const { ctx } = session;
  const until = formats.date(new Date(ctx.now().getTime() + constants.backup_days * 86_400_000).toISOString());
  return (
    <>
      <Title>Change your words</Title>
      <Visibility category="vault" />
      <p class="ww-lead">
        You get six new words and a new recovery code. After that the old ones open nothing. Do it if anyone may have
        seen them.
      </p>
      <ul class="govuk-list govuk-list--bullet">
        <li>What you keep here stays. Earlier versions are deleted, because the old words would open them.</li>
        <li>A security key that you added opens nothing any more; you can add it again.</li>
        <li>Is your space open on another computer? Lock it there first: it cannot save any more.</li>
        <li>
          Existing backups hold a copy that the old words still open, until <strong>{until}</strong>. Only whoever runs
          the appliance can reach them.
        </li>
        <li>Under “Who looked” stands that you changed them. Who runs the appliance can see it too.</li>
      </ul>
      <PresentWords session={session} onKnown={onNext} />
    </>
  );
}
