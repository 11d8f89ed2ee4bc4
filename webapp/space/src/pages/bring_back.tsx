// Bringing a copy back: file and key never reach a server; the records are stored with the next save.

import type { JSX } from "preact";
import { useRef, useState } from "preact/hooks";
import { described, Field, FormGroup, Note, ProblemNote, Title, Visibility, WorkForm } from "../app/parts.js";
import { useWork } from "../app/work.js";
import { copy } from "../bytes.js";
import { openCopy } from "../copy/bring_back.js";
import { count } from "../formats.js";
import type { Session } from "../session.js";

export function BringBackPage({ session }: { session: Session }): JSX.Element {
  const file = useRef<HTMLInputElement>(null);
  const [key, setKey] = useState("");
  const [missing, setMissing] = useState("");
  const [done, setDone] = useState("");
  const work = useWork();

  const bring = () => {
    const chosen = file.current?.files?.[0];
    setMissing(chosen ? "" : "Choose the file first.");
    setDone("");
    if (!chosen) return;
    work.run(async () => {
      const brought = await openCopy(copy(await chosen.arrayBuffer()), key);
      const added = await session.bringBack(brought);
      setKey("");
      setDone(`Done: ${count(added, "record")} came back. What was here already stays as it is.`);
    });
  };

  return (
    <>
      <Title>Bring a copy back</Title>
      <Visibility category="vault" />
      <p class="ww-lead">
        Do you have a copy of an earlier private space, and its key? What it holds can be put into this one. The file
        and the key stay in this browser.
      </p>
      <ul class="govuk-list govuk-list--bullet">
        <li>What comes back: check-ins, questionnaires, calls, and calls that you set aside.</li>
        <li>
          What does not: conversations, because their keys never left; choices, so that none takes effect unseen; who
          looked.
        </li>
      </ul>
      <ProblemNote problem={work.problem} />
      <WorkForm action="Bring it back" busyText="Opening the copy" busy={work.busy} onSubmit={bring}>
        <FormGroup id="copy-file" label="The file (its name ends in .zip.age)" error={missing}>
          <input
            class="govuk-file-upload"
            type="file"
            id="copy-file"
            accept=".age"
            ref={file}
            aria-describedby={described({ id: "copy-file", error: missing })}
          />
        </FormGroup>
        <Field id="copy-key" label="Its key" hint="It begins with AGE-SECRET-KEY-1." value={key} onValue={setKey} />
      </WorkForm>
      <div role="status">{done && <Note>{done}</Note>}</div>
    </>
  );
}
