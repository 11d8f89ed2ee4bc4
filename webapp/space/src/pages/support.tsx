// Asking for support: the people an officer can write to, what to know first, writing, the officer's conversations.
//
// Owns: the steps. Which person is looked at, and whether anything is written, leaves no trace outside the vault: the
// list is in the browser already, and a message changes only what is inside a cell that would have left anyway.

import type { JSX } from "preact";
import { useState } from "preact/hooks";
import { Button, Field, FormGroup, Link, ProblemNote, Title, Visibility, Warning, WorkForm } from "../app/parts.js";
import { TextArea } from "../app/text_area.js";
import { useRedraw, useWork } from "../app/work.js";
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
  const redraw = useRedraw();
  const formats = makeFormats(ctx.site.time_zone);
  const own = threads(ctx).filter(({ side }) => side === "officer");
  const list = () => setStep({ at: "list" });

  if (step.at === "notice") {
    return <BeforeWriting to={step.to} onNext={() => setStep({ at: "compose", to: step.to })} onBack={list} />;
  }
  if (step.at === "compose") return <Compose ctx={ctx} to={step.to} onDone={list} />;
  const thread = step.at === "thread" ? own.find(({ thread }) => thread === step.thread) : undefined;
  if (thread) {
    const phone = ctx.keylist?.supporters.find(({ number }) => number === thread.number)?.phone ?? "";
    return <Conversation ctx={ctx} thread={thread} formats={formats} phone={phone} onChange={redraw} onBack={list} />;
  }
  return (
    <>
      <Title>Support</Title>
      <Visibility category="vault" />
      <PostNotice ctx={ctx} />
      <p class="ww-lead">
        Write to a peer supporter or a clinician. Only the person you choose can read it. Everybody's visits look the
        same from outside, so the agency cannot tell from yours that you wrote.
      </p>
      <p class="govuk-body">
        It is slow on purpose: boards are published about once a day, so an answer takes days. If you need one sooner,
        call; the numbers are below and in the <Link to="/directory/">printed directory</Link>.
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
        The officers' trustee has not signed a list of supporters, so you cannot write to anybody from here. You can
        call: see <Link to="/crisis/">numbers to call</Link>.
      </p>
    );
  }
  const shown = shownSupporters(ctx).filter((supporter) => role === "" || supporter.role === role);
  return (
    <>
      <h2 class="govuk-heading-m">People you can write to</h2>
      <FormGroup id="role" label="Show">
        <select class="govuk-select" id="role" value={role} onChange={(event) => setRole(event.currentTarget.value)}>
          <option value="">Everyone</option>
          <option value="peer">Peer supporters</option>
          <option value="clinician">Clinicians</option>
        </select>
      </FormGroup>
      <ul class="govuk-list">
        {shown.map((supporter) => (
          <li class="ww-card" key={supporter.number}>
            <h3 class="govuk-heading-s">{supporter.name}</h3>
            <p class="govuk-body">
              {charter.roles[supporter.role] ?? supporter.role}. {supporter.about}
            </p>
            <p class="govuk-body">
              Languages: {supporter.languages.join(", ")}. Phone: {supporter.phone || "not given"}.
            </p>
            <Button kind="secondary" last onClick={() => onChoose(supporter)}>
              {" "}
              Write<span class="govuk-visually-hidden"> to {supporter.name}</span>
            </Button>
          </li>
        ))}
      </ul>
    </>
  );
}

function BeforeWriting(props: { to: Supporter; onNext: () => void; onBack: () => void }): JSX.Element {
  return (
    <>
      <Button kind="secondary" onClick={props.onBack}>
        {" "}
        Back
      </Button>
      <Title>Before you write</Title>
      <Warning>
        This is not for emergencies. Nobody reads it today. If you or someone else is in danger, call or text 988, or
        call 911.
      </Warning>
      <p class="govuk-body">
        <Link to="/crisis/">Numbers to call at any hour</Link>
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
      <Button onClick={props.onNext}> I understand, continue</Button>
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
      <Button kind="secondary" onClick={onDone}>
        {" "}
        Back
      </Button>
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
