// Choices: each with its effect in words before it is switched on. All of them lie in the vault and are applied here.

import type { ComponentChildren, JSX } from "preact";
import { useState } from "preact/hooks";
import { Button, Field, FormGroup, Link, Title, Visibility } from "../app/parts.js";
import { TextArea } from "../app/text_area.js";
import { useRedraw } from "../app/work.js";
import {
  allowReachOut,
  EVERY_DAYS,
  endReachOut,
  isHeavy,
  MOST_LETTERS,
  MOST_MONTHS,
  monthsLater,
  never,
  quietUntil,
  reachOutChoice,
  setNever,
  setQuiet,
  shownSupporters,
} from "../choices.js";
import type { Context } from "../context.js";
import type { Formats } from "../formats.js";
import type { Supporter } from "../site.js";

const TEXT =
  "My private space is sending you this because I asked it to do so when several heavy calls come together. I would be glad if you got in touch.";

interface PartProps {
  readonly ctx: Context;
  readonly formats: Formats;
  readonly redraw: () => void;
}

export function ChoicesPage({ ctx, formats }: Omit<PartProps, "redraw">): JSX.Element {
  const redraw = useRedraw();
  const parts = { ctx, formats, redraw };
  return (
    <>
      <Title>Your choices</Title>
      <Visibility category="vault" />
      <p class="ww-lead">
        Your choices are kept in your private space and take effect in this browser only. Nobody can see what you chose,
        or that you chose anything.
      </p>
      <ReachOutPart {...parts} />
      <NeverPart {...parts} />
      <QuietPart {...parts} />
      <p class="govuk-body">
        You can also <Link to="#/leave">leave the program</Link>.
      </p>
    </>
  );
}

function Select(props: {
  id: string;
  label: string;
  value: string | number;
  onValue: (value: number) => void;
  children: ComponentChildren;
}): JSX.Element {
  return (
    <FormGroup id={props.id} label={props.label}>
      <select
        class="govuk-select"
        id={props.id}
        value={props.value}
        onChange={(event) => props.onValue(Number(event.currentTarget.value))}>
        {props.children}
      </select>
    </FormGroup>
  );
}

function ReachOutPart({ ctx, formats, redraw }: PartProps): JSX.Element {
  const [number, setNumber] = useState(0);
  const [alias, setAlias] = useState(ctx.name);
  const [text, setText] = useState(TEXT);
  const [months, setMonths] = useState(3);
  const [looking, setLooking] = useState(false);
  const now = ctx.now();
  const on = reachOutChoice(ctx.vault, now);
  const peers = shownSupporters(ctx).filter(({ role }) => role === "peer");
  const to = peers.find((peer) => peer.number === (on?.number ?? number)) ?? (on ? undefined : peers[0]);
  const until = monthsLater(now, months);

  const form = (
    <form
      noValidate
      onSubmit={(event) => {
        event.preventDefault();
        if (text.trim() && text.length <= MOST_LETTERS) setLooking(true);
      }}>
      <Select id="peer" label="Who gets the message" value={to?.number ?? 0} onValue={setNumber}>
        {peers.map((peer) => (
          <option key={peer.number} value={peer.number}>
            {peer.name}
          </option>
        ))}
      </Select>
      <Field
        id="reach-out-alias"
        label="Name to write under"
        value={alias}
        onValue={setAlias}
        width="govuk-input--width-20"
        hint="Under your own name, the peer can call you or come by. Under another name, they can only answer here."
      />
      <TextArea
        id="reach-out-text"
        label="The message"
        hint="You can change it."
        rows={4}
        error=""
        value={text}
        onValue={setText}
        note={
          text.trim() && text.length <= MOST_LETTERS ? "" : `Write something, in ${MOST_LETTERS} characters at most.`
        }
      />
      <Select id="months" label="For how long" value={months} onValue={setMonths}>
        {[1, 3, MOST_MONTHS].map((n) => (
          <option key={n} value={n}>
            {n === 1 ? "1 month" : `${n} months`}
          </option>
        ))}
      </Select>
      <button type="submit" class="govuk-button govuk-button--secondary">
        Show what would happen
      </button>
    </form>
  );

  const effect = (peer: Supporter) => (
    <>
      <h3 class="govuk-heading-s">What would happen</h3>
      <ul class="govuk-list govuk-list--bullet">
        <li>
          To whom: <strong>{peer.name}</strong>, and nobody else.
        </li>
        <li>
          What: “{text.trim()}” Signed: {alias.trim() || ctx.name}. Your calls and numbers are not in it.
        </li>
        <li>
          When: if your exposure page lists something under “Worth knowing” at the moment you unlock. At most once in{" "}
          {EVERY_DAYS} days, and never after {formats.date(until)}.
        </li>
        <li>
          How it looks: like every other message and every empty one. Nobody who watches your visits can tell the
          difference.
        </li>
        <li>If you unlocked now, it would {isHeavy(ctx) ? "" : "not "}be sent.</li>
        <li>
          You see it under “Support”, as if you had written it, and can end it there until you lock. It takes days, so
          it is not for emergencies. The law may require {peer.name} to report danger to others; ask which limits apply.
        </li>
      </ul>
      <div class="ww-actions">
        <Button
          onClick={() => {
            allowReachOut(ctx.vault, now, {
              until,
              number: peer.number,
              alias: alias.trim() || ctx.name,
              text: text.trim(),
            });
            setLooking(false);
            redraw();
          }}>
          {" "}
          Switch it on
        </Button>
        <Button kind="secondary" onClick={() => setLooking(false)}>
          {" "}
          Change it
        </Button>
      </div>
    </>
  );

  return (
    <section class="ww-card">
      <h2 class="govuk-heading-m">A peer may reach out when calls pile up</h2>
      <p class="govuk-body" role="status">
        {on ? (
          <>
            On until {formats.date(on.until)}, to{" "}
            {to?.name ?? "someone who is no longer on your list, so nothing is sent"}.
          </>
        ) : (
          "Off. Your space can ask one peer to get in touch with you, with a message that you see first."
        )}
      </p>
      {on && (
        <Button
          kind="secondary"
          onClick={() => {
            endReachOut(ctx.vault);
            redraw();
          }}>
          {" "}
          Switch it off
        </Button>
      )}
      {!on && (to ? looking ? effect(to) : form : <p class="govuk-body">There is no peer to put you in touch with.</p>)}
    </section>
  );
}

function NeverPart({ ctx, redraw }: PartProps): JSX.Element {
  const out = never(ctx.vault);
  const all = ctx.keylist?.supporters ?? [];
  return (
    <section class="ww-card">
      <h2 class="govuk-heading-m">People I never want involved</h2>
      <p class="govuk-body">
        They are not shown to you under “Support”, and nothing is sent to them for you. They are not told. Your
        conversations with them stay until you end them.
      </p>
      {all.length === 0 && <p class="govuk-body">There is no list of supporters here.</p>}
      <ul class="govuk-list">
        {all.map(({ number, name }) => (
          <li key={number}>
            {name}: {out.has(number) ? "never. " : "shown. "}
            <Button
              kind="link"
              onClick={() => {
                setNever(ctx.vault, number, !out.has(number));
                redraw();
              }}>
              {" "}
              {out.has(number) ? "Show again" : "Never involve"}
              <span class="govuk-visually-hidden"> {name}</span>
            </Button>
          </li>
        ))}
      </ul>
    </section>
  );
}

function QuietPart({ ctx, formats, redraw }: PartProps): JSX.Element {
  const [days, setDays] = useState(7);
  const now = ctx.now();
  const until = quietUntil(ctx.vault, now);
  const set = (iso: string | null) => {
    setQuiet(ctx.vault, iso);
    redraw();
  };
  return (
    <section class="ww-card">
      <h2 class="govuk-heading-m">Quiet for a while</h2>
      <p class="govuk-body">
        Until the day you choose, nothing is sent for you and no page suggests anything. What a questionnaire says about
        help is always shown, and so are the numbers to call.
      </p>
      <p class="govuk-body" role="status">
        {until ? `Quiet until ${formats.date(until)}.` : "Off."}
      </p>
      {until ? (
        <Button kind="secondary" onClick={() => set(null)}>
          {" "}
          End quiet time
        </Button>
      ) : (
        <>
          <Select id="quiet" label="Quiet for" value={days} onValue={setDays}>
            {[7, 14, 30, 90].map((n) => (
              <option key={n} value={n}>
                {n} days
              </option>
            ))}
          </Select>
          <Button kind="secondary" onClick={() => set(new Date(now.getTime() + days * 86_400_000).toISOString())}>
            {" "}
            Start quiet time
          </Button>
        </>
      )}
    </section>
  );
}
