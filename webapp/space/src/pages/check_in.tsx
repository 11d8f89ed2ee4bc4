// A check-in of a minute, and how the four sliders went: kept in the vault, drawn in this browser, shown to nobody
// else.

import type { JSX, TargetedEvent } from "preact";
import { useState } from "preact/hooks";
import { Course } from "../app/course.js";
import { Button, Details, Link, Note, RemoveButton, Title, Visibility } from "../app/parts.js";
import { TextArea } from "../app/text_area.js";
import { useRedraw } from "../app/work.js";
import { type CheckIn, course, isEmpty, keep, MOST_LETTERS, SLIDERS, type SliderId, STEPS } from "../checkins.js";
import { quietUntil } from "../choices.js";
import type { Context, VaultRecord } from "../context.js";
import { count, type Formats } from "../formats.js";

const SHOWN_DAYS = 90;
const DAY_MS = 86_400_000;
const NOTHING: CheckIn["values"] = { sleep: null, load: null, mood: null, connection: null };

interface CheckInProps {
  readonly ctx: Context;
  readonly formats: Formats;
}

export function CheckInPage({ ctx, formats }: CheckInProps): JSX.Element {
  const [values, setValues] = useState(NOTHING);
  const [words, setWords] = useState("");
  const [kept, setKept] = useState(false);
  const [problem, setProblem] = useState("");
  const redraw = useRedraw();

  const submit = () => {
    const checkIn = { values, words: words.trim() };
    if (isEmpty(checkIn)) return setProblem("Move a slider or write something first.");
    if (words.trim().length > MOST_LETTERS) return setProblem(`${MOST_LETTERS} characters at most.`);
    keep(ctx.vault, checkIn);
    setValues(NOTHING);
    setWords("");
    setProblem("");
    setKept(true);
  };

  return (
    <>
      <Title>Check in with yourself</Title>
      <Visibility category="vault" />
      <p class="ww-lead">
        A minute, whenever you like, or never. <strong>Nobody is watching this</strong>, nobody is told, and nothing
        happens if you skip it.
      </p>
      <div role="status">
        {kept && (
          <Note>
            Kept in your private space.
            {!quietUntil(ctx.vault, ctx.now()) && (
              <>
                {" "}
                If you would like to talk about it: <Link to="#/support">ask for support</Link>.
              </>
            )}
          </Note>
        )}
      </div>
      <form
        noValidate
        onSubmit={(event) => {
          event.preventDefault();
          submit();
        }}>
        {SLIDERS.map((slider) => (
          <Slider
            key={slider.id}
            {...slider}
            value={values[slider.id]}
            onValue={(value) => {
              setKept(false);
              setValues({ ...values, [slider.id]: value });
            }}
          />
        ))}
        <TextArea
          id="check-in-words"
          label="Anything you want to remember (optional)"
          hint="Only you can read it."
          error={problem}
          note={`${count(Math.max(0, MOST_LETTERS - words.length), "character")} left.`}
          value={words}
          rows={4}
          onValue={(value) => {
            setKept(false);
            setWords(value);
          }}
        />
        <button type="submit" class="govuk-button">
          Keep it
        </button>
      </form>
      <Courses ctx={ctx} formats={formats} />
      <Earlier ctx={ctx} formats={formats} onChange={redraw} />
    </>
  );
}

interface SliderProps {
  readonly id: SliderId;
  readonly question: string;
  readonly low: string;
  readonly high: string;
  readonly value: number | null;
  readonly onValue: (value: number | null) => void;
}

function Slider({ id, question, low, high, value, onValue }: SliderProps): JSX.Element {
  const said = value === null ? "Left out" : `${value} of ${STEPS}`;
  const take = (event: TargetedEvent<HTMLInputElement>) => onValue(event.currentTarget.valueAsNumber);
  return (
    <div class="govuk-form-group ww-slider">
      <label class="govuk-label govuk-label--s" for={`slider-${id}`}>
        {question}
      </label>
      <div class="ww-slider-row">
        <span aria-hidden="true">{low}</span>
        <input
          id={`slider-${id}`}
          type="range"
          min="0"
          max={STEPS}
          step="1"
          value={value ?? STEPS / 2}
          data-unset={value === null}
          aria-valuetext={value === null ? `Left out; from ${low} to ${high}` : `${said}, from ${low} to ${high}`}
          autocomplete="off"
          onInput={take}
          // A click on the middle moves nothing, and means the middle.
          onClick={take}
        />
        <span aria-hidden="true">{high}</span>
      </div>
      <p class="govuk-body govuk-!-margin-0">
        {said}
        {value !== null && (
          <>
            {" "}
            <Button kind="link" onClick={() => onValue(null)}>
              {" "}
              Leave out<span class="govuk-visually-hidden">: {question}</span>
            </Button>
          </>
        )}
      </p>
    </div>
  );
}

function Courses({ ctx, formats }: CheckInProps): JSX.Element | null {
  const to = ctx.now().getTime();
  const from = to - SHOWN_DAYS * DAY_MS;
  const drawn = SLIDERS.map((slider) => ({ slider, points: course(ctx.vault, slider.id, new Date(from)) }));
  if (drawn.every(({ points }) => points.length < 2)) return null;
  return (
    <section>
      <h2 class="govuk-heading-m">{`The last ${SHOWN_DAYS} days`}</h2>
      <p class="govuk-body">Drawn in this browser from what is in your private space.</p>
      {drawn
        .filter(({ points }) => points.length >= 2)
        .map(({ slider, points }) => (
          <div class="ww-card" key={slider.id}>
            <h3 class="govuk-heading-s">{`${slider.title}: top is ${slider.high.toLowerCase()}, bottom is ${slider.low.toLowerCase()}`}</h3>
            <Course
              title={`${slider.title} over ${SHOWN_DAYS} days`}
              points={points}
              from={from}
              to={to}
              highest={STEPS}
              formats={formats}
            />
          </div>
        ))}
    </section>
  );
}

function Earlier({ ctx, formats, onChange }: CheckInProps & { onChange: () => void }): JSX.Element | null {
  const all = ctx.vault.all<CheckIn>("check-in").reverse();
  if (all.length === 0) return null;
  const line = ({ body }: VaultRecord<CheckIn>) =>
    SLIDERS.filter(({ id }) => body.values[id] !== null)
      .map(({ id, title }) => `${title} ${body.values[id]}`)
      .join(", ");
  return (
    <Details title="Your check-ins">
      {() => (
        <ol class="ww-timeline">
          {all.map((record) => (
            <li key={record.id}>
              <p class="govuk-body">
                <strong>{formats.moment(record.at)}</strong>
                {line(record) && ` – ${line(record)}`}
              </p>
              {record.body.words && <p class="govuk-body ww-own-words">{record.body.words}</p>}
              <RemoveButton
                what={`the check-in of ${formats.moment(record.at)}`}
                onRemove={() => {
                  ctx.vault.remove(record.id);
                  onChange();
                }}
              />
            </li>
          ))}
        </ol>
      )}
    </Details>
  );
}
