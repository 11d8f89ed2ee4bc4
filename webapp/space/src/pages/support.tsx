// Asking for support: the people one can write to, what to know before the first message, writing, own conversations.
//
// Owns: the steps. Which person is looked at, and whether anything is written, leaves no trace outside the vault: the list
// is in the browser already, and a message changes only what is inside a cell that would have left anyway.

import type { JSX } from "preact";
import { useReducer, useState } from "preact/hooks";
import { Field, ProblemNote, Title, Visibility, WorkForm } from "../app/parts.js";
import { TextArea } from "../app/text_area.js";
import { useWork } from "../app/work.js";
import { randomBelow, utf8 } from "../bytes.js";
import { shownSupporters } from "../choices.js";
import { charter } from "../constants.js";
import type { Context } from "../context.js";
import { formats as makeFormats } from "../formats.js";
import { MOST_PARTS, startThread, threads } from "../post/threads.js";
import type { Supporter } from "../site.js";
import { Conversation, lengthNote, PostNotice, ThreadList } from "./conversation.js";

type Step =
  | { readonly at: "list" }
  | { readonly at: "thread"; readonly thread: string }
  | { readonly at: "notice"; readonly to: Supporter }
  | { readonly at: "compose"; readonly to: Supporter };

const COLORS = ["Amber", "Blue", "Copper", "Gray", "Green", "Ivory", "Red", "Silver"];
const BIRDS = ["Heron", "Kestrel", "Lark", "Osprey", "Owl", "Plover", "Raven", "Wren"];

function newAlias(): string {
  return `${COLORS[randomBelow(COLORS.length)]} ${BIRDS[randomBelow(BIRDS.length)]} ${10 + randomBelow(90)}`;
}

export function SupportPage({ ctx }: { ctx: Context }): JSX.Element {
  const [step, setStep] = useState<Step>({ at: "list" });
  const [, redraw] = useReducer((n: number) => n + 1, 0);
  const formats = makeFormats(ctx.site.time_zone);
  const own = threads(ctx).filter(({ side }) => side === "officer");
  const list = () => setStep({ at: "list" });

  if (step.at === "notice") {
    return <BeforeWriting to={step.to} onNext={() => setStep({ at: "compose", to: step.to })} onBack={list} />;
  }
  if (step.at === "compose") return <Compose ctx={ctx} to={step.to} onDone={list} />;
  const thread = step.at === "thread" ? own.find((one) => one.thread === step.thread) : undefined;
  if (thread) {
    const phone = ctx.keylist?.supporters.find(({ number }) => number === thread.number)?.phone ?? "";
    return (
      <Conversation
        ctx={ctx}
        thread={thread}
        formats={formats}
        phone={phone}
        onChange={() => redraw(0)}
        onBack={list}
      />
    );
  }
  return (
    <>
      <Title>Support</Title>
      <Visibility category="vault" />
      <PostNotice ctx={ctx} />
      <p class="ww-lead">
        Write to a peer supporter or a clinician. Only the person you choose can read it. Everybody's visits look the
        same from outside, so the agency cannot tell from them that you wrote.
      </p>
      <p class="govuk-body">
        It is slow on purpose: boards are published about once a day, so an answer takes days. If it should be faster,
        call; the numbers are below and in the{" "}
        <a class="govuk-link" href="/directory/">
          printed directory
        </a>
        .
      </p>
      {own.length > 0 && (
        <>
          <h2 class="govuk-heading-m">Your conversations</h2>
          <ThreadList threads={own} formats={formats} onOpen={(id) => setStep({ at: "thread", thread: id })} />
        </>
      )}
      <Directory ctx={ctx} onChoose={(to) => setStep({ at: "notice", to })} />
    </>
  );
}

function Directory({ ctx, onChoose }: { ctx: Context; onChoose: (to: Supporter) => void }): JSX.Element {
  const [role, setRole] = useState("");
  if (!ctx.keylist) {
    return (
      <p class="govuk-body">
        There is no list of supporters that the officers' trustee has signed, so nobody can be written to from here. You
        can call: see{" "}
        <a class="govuk-link" href="/crisis/">
          numbers to call
        </a>
        .
      </p>
    );
  }
  const shown = shownSupporters(ctx).filter((one) => role === "" || one.role === role);
  return (
    <>
      <h2 class="govuk-heading-m">People you can write to</h2>
      <div class="govuk-form-group">
        <label class="govuk-label" for="role">
          Show
        </label>
        <select class="govuk-select" id="role" value={role} onChange={(event) => setRole(event.currentTarget.value)}>
          <option value="">Everyone</option>
          <option value="peer">Peer supporters</option>
          <option value="clinician">Clinicians</option>
        </select>
      </div>
      <ul class="govuk-list">
        {shown.map((one) => (
          <li class="ww-card" key={one.number}>
            <h3 class="govuk-heading-s">{one.name}</h3>
            <p class="govuk-body">
              {charter.roles[one.role] ?? one.role}. {one.about}
            </p>
            <p class="govuk-body">
              Languages: {one.languages.join(", ")}. Phone: {one.phone || "not given"}.
            </p>
            <button
              type="button"
              class="govuk-button govuk-button--secondary govuk-!-margin-bottom-0"
              onClick={() => onChoose(one)}>
              Write<span class="govuk-visually-hidden"> to {one.name}</span>
            </button>
          </li>
        ))}
      </ul>
    </>
  );
}

function BeforeWriting(props: { to: Supporter; onNext: () => void; onBack: () => void }): JSX.Element {
  return (
    <>
      <button type="button" class="govuk-button govuk-button--secondary" onClick={props.onBack}>
        Back
      </button>
      <Title>Before you write</Title>
      <div class="govuk-warning-text">
        <span class="govuk-warning-text__icon" aria-hidden="true">
          !
        </span>
        <strong class="govuk-warning-text__text">
          <span class="govuk-visually-hidden">Warning</span>
          This is not for emergencies. Nobody reads it today. If you or someone else is in danger, call or text 988, or
          call 911.
        </strong>
      </div>
      <p class="govuk-body">
        <a class="govuk-link" href="/crisis/">
          Numbers to call at any hour
        </a>
      </p>
      <h2 class="govuk-heading-m">What may not stay between you</h2>
      <p class="govuk-body">The law can require the person you write to, or permit them, to tell others:</p>
      <ul class="govuk-list govuk-list--bullet">
        <li>when there is a serious and immediate danger to your life or another's</li>
        <li>when a child, an elder or a dependent adult is abused or neglected</li>
        <li>when a court orders it</li>
        {props.to.role === "peer" && (
          <li>in a criminal or internal investigation, where your state's law does not protect talks with peers</li>
        )}
      </ul>
      <p class="govuk-body">
        States differ. Ask {props.to.name} which limits apply before you write about such things.
      </p>
      <h2 class="govuk-heading-m">Your name</h2>
      <p class="govuk-body">
        You choose the name that you write under. Under a pseudonym nobody can send help to you, and the person may ask
        who and where you are before going on.
      </p>
      <button type="button" class="govuk-button" onClick={props.onNext}>
        I understand, continue
      </button>
    </>
  );
}

function Compose({ ctx, to, onDone }: { ctx: Context; to: Supporter; onDone: () => void }): JSX.Element {
  const [alias, setAlias] = useState(newAlias);
  const [text, setText] = useState("");
  const [error, setError] = useState("");
  const work = useWork();
  // A first message has no conversation yet to measure by; about 4,900 bytes of text fit into one cell beside the keys.
  const parts = Math.max(1, Math.ceil(utf8(text).length / 4900));
  const put = () =>
    work.run(async () => {
      if (text.trim() === "") return setError("Write something first.");
      if (parts > MOST_PARTS) return setError(lengthNote(parts, "officer"));
      try {
        await startThread(ctx, to, alias.trim() || newAlias(), text.trim());
      } catch (thrown) {
        if (!(thrown instanceof RangeError)) throw thrown;
        return setError(lengthNote(MOST_PARTS + 1, "officer"));
      }
      onDone();
    });
  return (
    <>
      <button type="button" class="govuk-button govuk-button--secondary" onClick={onDone}>
        Back
      </button>
      <Title>Write to {to.name}</Title>
      <Visibility category="vault" />
      <ProblemNote problem={work.problem} />
      <WorkForm action="Put into the queue" busyText="Writing" busy={work.busy} onSubmit={put}>
        <Field
          id="alias"
          label="Name to write under"
          hint="Your own name, or any other. This one was drawn at random."
          value={alias}
          onValue={setAlias}
          width="govuk-input--width-20"
        />
        <TextArea
          id="message"
          label="Message"
          hint="One page is plenty. It leaves when you lock, or at your next unlock."
          error={error}
          note={lengthNote(parts, "officer")}
          value={text}
          onValue={setText}
        />
      </WorkForm>
    </>
  );
}
