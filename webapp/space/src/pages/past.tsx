// For a space that was started over: two people's codes bring the calls of before.

import type { JSX } from "preact";
import { useState } from "preact/hooks";
import { Field, ProblemNote } from "../app/parts.js";
import { useWork } from "../app/work.js";
import type { Api } from "../net.js";

export function Past({ api }: { api: Api }): JSX.Element {
  const [codes, setCodes] = useState(["", ""]);
  const [asked, setAsked] = useState(false);
  const work = useWork();
  if (asked) {
    return (
      <p class="govuk-body" role="status">
        The calls of before are being sealed to you. They come with one of the next deliveries.
      </p>
    );
  }
  return (
    <details class="govuk-details">
      <summary class="govuk-details__summary">Calls of before are missing?</summary>
      <div class="govuk-details__text">
        <p class="govuk-body">
          A space that was started over receives new calls only, so that a stolen slip opens no past. Two people of the
          officers' trustee's office can each give you a code. Type both.
        </p>
        <ProblemNote problem={work.problem} />
        <form
          onSubmit={(event) => {
            event.preventDefault();
            work.run(() => api.openPast(codes).then(() => setAsked(true)));
          }}>
          {codes.map((code, place) => (
            <Field
              key={place}
              id={`past-${place}`}
              label={place ? "Code of the second person" : "Code of the first person"}
              value={code}
              onValue={(value) => setCodes(codes.map((old, at) => (at === place ? value : old)))}
            />
          ))}
          <button type="submit" class="govuk-button govuk-button--secondary" disabled={work.busy}>
            Ask for the calls of before
          </button>
        </form>
      </div>
    </details>
  );
}
