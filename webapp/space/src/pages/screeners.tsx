// Screeners: choose one, one question a page, each may be skipped, then the result in plain words and what to do next.

import type { JSX } from "preact";
import { useState } from "preact/hooks";
import { Button, Details, Link, RemoveButton, Title, Visibility } from "../app/parts.js";
import { useRedraw } from "../app/work.js";
import type { Context } from "../context.js";
import type { Formats } from "../formats.js";
import { type Answers, model, type Screener, score, screenerOf, type Taken } from "../screeners.js";

interface ScreenersProps {
  readonly ctx: Context;
  readonly formats: Formats;
}

export function ScreenersPage({ ctx, formats }: ScreenersProps): JSX.Element {
  const [taking, setTaking] = useState<Screener | null>(null);
  const [shown, setShown] = useState<Taken | null>(null);
  const redraw = useRedraw();
  if (taking) {
    return (
      <Questions
        screener={taking}
        onDone={(answers) => {
          const taken = { screener: taking.id, version: model.version, answers };
          if (answers.gate !== null || answers.items.some((answer) => answer !== null))
            ctx.vault.put<Taken>("screener", taken);
          setTaking(null);
          setShown(taken);
        }}
        onStop={() => setTaking(null)}
      />
    );
  }
  if (shown) return <Result taken={shown} onBack={() => setShown(null)} />;
  return (
    <>
      <Title>Short questionnaires</Title>
      <Visibility category="vault" />
      <p class="ww-lead">
        One or two minutes each. <strong>Nobody is watching this</strong>: your answers are scored in this browser and
        kept in your private space, nowhere else.
      </p>
      {model.screeners.map((screener) => (
        <section class="ww-card" key={screener.id}>
          <h2 class="govuk-heading-m">{`${screener.about} (${screener.title})`}</h2>
          <p class="govuk-body">
            {`${screener.items.length} questions${screener.gate ? ", after a first one" : ""}. You may skip any.`}
          </p>
          <Button kind="secondary" last onClick={() => setTaking(screener)}>
            {" "}
            Start<span class="govuk-visually-hidden"> {screener.title}</span>
          </Button>
        </section>
      ))}
      <Earlier ctx={ctx} formats={formats} onChange={redraw} onShow={setShown} />
      <Details title="Where they come from">
        <p class="govuk-body">{model.note}</p>
        <ul class="govuk-list govuk-list--bullet">
          {model.screeners.map(({ id, title, cutoff_reason, source }) => (
            <li key={id}>{`${title}: ${cutoff_reason} ${source}`}</li>
          ))}
        </ul>
      </Details>
    </>
  );
}

interface QuestionsProps {
  readonly screener: Screener;
  readonly onDone: (answers: Answers) => void;
  readonly onStop: () => void;
}

function Questions({ screener, onDone, onStop }: QuestionsProps): JSX.Element {
  const [given, setGiven] = useState<readonly (number | null)[]>([]);
  const [chosen, setChosen] = useState<number | null>(null);
  const [problem, setProblem] = useState("");
  const texts = screener.gate ? [screener.gate, ...screener.items] : screener.items;
  const at = given.length;
  const onGate = screener.gate !== "" && at === 0;

  const next = (answer: number | null) => {
    const all = [...given, answer];
    setChosen(null);
    setProblem("");
    const gate = screener.gate && all[0] !== null ? all[0] === 1 : null;
    const items = screener.gate ? all.slice(1) : all;
    if (gate === false) return onDone({ gate, items: screener.items.map(() => null) });
    if (all.length === texts.length) return onDone({ gate, items });
    setGiven(all);
  };

  return (
    <form
      noValidate
      onSubmit={(event) => {
        event.preventDefault();
        if (chosen === null) setProblem("Choose an answer, or skip this question.");
        else next(chosen);
      }}>
      {/* The key gives each question a heading of its own, which takes the focus. */}
      <div key={at}>
        <Title>{`${screener.title}: question ${at + 1} of ${texts.length}`}</Title>
      </div>
      <p class="ww-visibility">Nobody is watching this</p>
      <div class={`govuk-form-group${problem ? " govuk-form-group--error" : ""}`}>
        <fieldset class="govuk-fieldset">
          <legend class="govuk-fieldset__legend govuk-fieldset__legend--m">
            {!onGate && <span class="ww-period">{screener.period} </span>}
            {texts[at]}
          </legend>
          {problem && (
            <p class="govuk-error-message" role="alert">
              <span class="govuk-visually-hidden">Error:</span> {problem}
            </p>
          )}
          <div class="govuk-radios">
            {screener.options.map(({ label, value }) => (
              <div class="govuk-radios__item" key={`${at} ${value}`}>
                <input
                  class="govuk-radios__input"
                  type="radio"
                  id={`answer-${value}`}
                  name="answer"
                  autocomplete="off"
                  checked={chosen === value}
                  onChange={() => setChosen(value)}
                />
                <label class="govuk-label govuk-radios__label" for={`answer-${value}`}>
                  {label}
                </label>
              </div>
            ))}
          </div>
        </fieldset>
      </div>
      <div class="govuk-button-group">
        <button type="submit" class="govuk-button">
          Next
        </button>
        <Button kind="secondary" onClick={() => next(null)}>
          {" "}
          Skip
        </Button>
        <Button kind="link" onClick={onStop}>
          {" "}
          Stop, and keep nothing
        </Button>
      </div>
    </form>
  );
}

function Result({ taken, onBack }: { taken: Taken; onBack: () => void }): JSX.Element {
  // Answers to an earlier version of the questions are kept but not scored.
  const screener = taken.version === model.version ? screenerOf(taken.screener) : undefined;
  const outcome = screener && score(screener, taken.answers);
  return (
    <>
      <Title>{`Your result: ${screener?.title ?? "a questionnaire of another version"}`}</Title>
      <Visibility category="vault" />
      {screener && outcome && (
        <>
          <p class="ww-lead">
            {outcome.reached === null
              ? "Too many questions were skipped to say anything. That is fine."
              : outcome.reached
                ? screener.worse
                : screener.better}
          </p>
          {outcome.score !== null && (
            <p class="govuk-body">{`Score: ${outcome.score} of ${outcome.highest}. ${screener.cutoff_reason}`}</p>
          )}
          <p class="govuk-body">
            This is not a diagnosis. <strong>Nobody is watching this</strong>, and nobody was told.
          </p>
          {outcome.reached && <NextSteps />}
        </>
      )}
      <Button kind="secondary" onClick={onBack}>
        {" "}
        Back to the questionnaires
      </Button>
    </>
  );
}

function NextSteps(): JSX.Element {
  return (
    <section class="ww-card">
      <h2 class="govuk-heading-m">What you can do next</h2>
      <ul class="govuk-list govuk-list--bullet">
        <li>
          <Link to="#/support">Write to a peer supporter or a clinician</Link>: only the person you choose can read it.
        </li>
        <li>
          <Link to="/directory/">See who there is</Link>, inside the agency and outside.
        </li>
        <li>
          <Link to="/crisis/">Numbers to call</Link>, day or night.
        </li>
      </ul>
    </section>
  );
}

interface EarlierProps extends ScreenersProps {
  readonly onChange: () => void;
  readonly onShow: (taken: Taken) => void;
}

function Earlier({ ctx, formats, onChange, onShow }: EarlierProps): JSX.Element | null {
  const all = ctx.vault.all<Taken>("screener").reverse();
  if (all.length === 0) return null;
  return (
    <section>
      <h2 class="govuk-heading-m">Your results</h2>
      <ol class="ww-timeline">
        {all.map((record) => {
          const name = screenerOf(record.body.screener)?.title ?? "A questionnaire of another version";
          return (
            <li key={record.id}>
              <p class="govuk-body">
                <strong>{formats.date(record.at)}</strong> – {name}
              </p>
              <Button kind="link" onClick={() => onShow(record.body)}>
                {" "}
                Show
                <span class="govuk-visually-hidden">
                  {" "}
                  the result of {name}, {formats.date(record.at)}
                </span>
              </Button>{" "}
              <RemoveButton
                what={`the result of ${name}, ${formats.date(record.at)}`}
                onRemove={() => {
                  ctx.vault.remove(record.id);
                  onChange();
                }}
              />
            </li>
          );
        })}
      </ol>
    </section>
  );
}
