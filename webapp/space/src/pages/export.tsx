// A copy of the private space to take away: its key shown once, then the file, which is made and saved in this browser.

import type { JSX } from "preact";
import { useEffect, useState } from "preact/hooks";
import { Button, Link, ProblemNote, Title, Visibility } from "../app/parts.js";
import { useWork } from "../app/work.js";
import type { Context } from "../context.js";
import { sealCopy } from "../copy/export.js";
import { NAMES } from "../copy/format.js";
import type { Formats } from "../formats.js";

interface Made {
  readonly identity: string;
  readonly address: string;
  readonly name: string;
}

export function ExportPage({ ctx, formats }: { ctx: Context; formats: Formats }): JSX.Element {
  const [made, setMade] = useState<Made | null>(null);
  const work = useWork();
  // The file's bytes stay in the browser's memory for as long as it has an address.
  useEffect(() => () => void (made && URL.revokeObjectURL(made.address)), [made]);

  const make = () =>
    work.run(async () => {
      const now = ctx.now();
      const { identity, file } = await sealCopy(ctx.vault, now, formats);
      const address = URL.createObjectURL(new Blob([file], { type: "application/octet-stream" }));
      setMade({ identity, address, name: `my-copy-${now.toISOString().slice(0, 10)}.zip.age` });
    });

  return (
    <>
      <Title>Take a copy with you</Title>
      <Visibility category="vault" />
      <p class="ww-lead">
        One encrypted file with your check-ins, questionnaires, calls, conversations and who looked. No one is told that
        you made one.
      </p>
      <p class="govuk-body">
        Save it on something that is yours, such as a USB stick: this computer belongs to the agency. The free program{" "}
        <strong>age</strong> opens it with the key that this page shows next. Your six words do not open it.
      </p>
      <p class="govuk-body">
        Did you remove something by mistake? See <Link to="#/versions">earlier versions</Link>. Did you start over, and
        do you have a copy from before? <Link to="#/bring-back">Bring it back</Link>.
      </p>
      <ProblemNote problem={work.problem} />
      {!made && (
        <Button busy={work.busy} onClick={make}>
          {" "}
          Make a copy
        </Button>
      )}
      <div role="status">
        {made && (
          <section>
            <h2 class="govuk-heading-m">The key to this copy</h2>
            <p class="govuk-body">
              It is shown only now and is kept nowhere. Print it or write it down, and keep it apart from the file:
              anyone who has both can read everything.
            </p>
            <p class="ww-code">{made.identity}</p>
            <div class="ww-actions">
              <Button kind="secondary" onClick={() => print()}>
                {" "}
                Print this page
              </Button>
              <a class="govuk-button" href={made.address} download={made.name}>
                Save the file
              </a>
            </div>
            <p class="govuk-body">
              To open it, put the key into a text file and run{" "}
              <code>{`age --decrypt -i key.txt -o my-copy.zip ${made.name}`}</code>. In my-copy.zip are:
            </p>
            <ul class="govuk-list govuk-list--bullet">
              <li>{NAMES.pages}: everything, to read in a browser or print</li>
              <li>{NAMES.fhir}: your questionnaires, for a clinician's system (FHIR R4). Your name is not in it</li>
              <li>{NAMES.records}: everything, for programs</li>
            </ul>
          </section>
        )}
      </div>
    </>
  );
}
