// One conversation, seen from either side: its messages and their states, writing, ending.
//
// Owns: the words for a message's state. "Sent" is not one of them: a message leaves in the next slot that any session
// has, and appears on a board when the day's board closes.

import type { JSX } from "preact";
import { useState } from "preact/hooks";
import { Button, Note, ProblemNote, Title, Visibility, WorkForm } from "../app/parts.js";
import { TextArea } from "../app/text_area.js";
import { charter } from "../constants.js";
import type { Context } from "../context.js";
import type { Formats } from "../formats.js";
import { postProblem } from "../post/session.js";
import { endThread, MOST_PARTS, partsNeeded, type ShownMessage, type ShownThread, write } from "../post/threads.js";

const STATES: Readonly<Record<ShownMessage["state"], string>> = {
  waiting: "Waiting: leaves when you lock, or at next unlock",
  board: "On the board",
  received: "Received",
};

/** When a message of `parts` cells leaves. */
export function lengthNote(parts: number, side: ShownThread["side"]): string {
  if (parts > MOST_PARTS) return "This is too long. Shorten it, or talk by phone.";
  if (parts === 1) return "This leaves in one piece.";
  if (side === "supporter") return `This leaves in ${parts} pieces, and is read when all have arrived.`;
  return `This leaves in ${parts} pieces, one each time you lock or unlock, and is read when all have arrived.`;
}

/** Why nothing could be sent in this session, if that is so. */
export function PostNotice({ ctx }: { ctx: Context }): JSX.Element | null {
  const problem = postProblem(ctx);
  if (!problem) return null;
  return (
    <Note role="status">
      {problem.message} {problem.fix}
    </Note>
  );
}

function Message({ message, who, formats }: { message: ShownMessage; who: string; formats: Formats }): JSX.Element {
  return (
    <li class="ww-card">
      <h2 class="govuk-heading-s">
        {message.mine ? "You" : who}
        <span class="ww-muted"> {formats.moment(message.at)}</span>
      </h2>
      {message.text.split("\n").map((line, at) => (
        <p class="govuk-body" key={at}>
          {line}
        </p>
      ))}
      <p class="ww-muted">{STATES[message.state]}</p>
    </li>
  );
}

interface ConversationProps {
  readonly ctx: Context;
  readonly thread: ShownThread;
  readonly formats: Formats;
  readonly phone: string;
  readonly onChange: () => void;
  readonly onBack: () => void;
}

export function Conversation({ ctx, thread, formats, phone, onChange, onBack }: ConversationProps): JSX.Element {
  const officer = thread.side === "officer";
  const who = officer ? thread.name : thread.alias;
  const heard = thread.messages.some(({ mine }) => mine) && thread.messages.some(({ mine }) => !mine);
  return (
    <>
      <Button kind="secondary" onClick={onBack}>
        {" "}
        Back
      </Button>
      <Title>{officer ? `You and ${who}` : `Someone writing as “${who}”`}</Title>
      <Visibility category="vault" />
      <PostNotice ctx={ctx} />
      {officer && <p class="govuk-body">{`${charter.roles[thread.role] ?? ""}. You write as “${thread.alias}”.`}</p>}
      {officer && heard && (
        <div class="govuk-inset-text">
          <p class="govuk-body">
            You have heard from each other. The next step is better by phone or in an office: it is quicker, and none of
            it passes through the agency's machines.{phone && ` ${who}: ${phone}.`}
          </p>
        </div>
      )}
      {!officer && (
        <p class="govuk-body">
          You do not know who this is, and the appliance does not either. If you fear for a life, ask who and where they
          are, and give 988 as well.
        </p>
      )}
      <ol class="govuk-list">
        {thread.messages.map((message, at) => (
          <Message key={at} message={message} who={who} formats={formats} />
        ))}
      </ol>
      <Answer ctx={ctx} thread={thread} onChange={onChange} />
      <End ctx={ctx} thread={thread} onEnded={onBack} />
    </>
  );
}

function Answer({ ctx, thread, onChange }: { ctx: Context; thread: ShownThread; onChange: () => void }): JSX.Element {
  const [text, setText] = useState("");
  const [error, setError] = useState("");
  const [problem, setProblem] = useState<unknown>(null);
  const parts = partsNeeded(ctx, thread.thread, text);
  const put = () => {
    if (text.trim() === "") return setError("Write something first.");
    if (parts > MOST_PARTS) return setError(lengthNote(parts, thread.side));
    try {
      write(ctx, thread.thread, text.trim());
      setText("");
      setError("");
      onChange();
    } catch (thrown) {
      setProblem(thrown);
    }
  };
  return (
    <>
      <ProblemNote problem={problem} />
      <WorkForm action="Put into the queue" busyText="Writing" busy={false} onSubmit={put}>
        <TextArea
          id="answer"
          label="Write"
          hint="It leaves when you lock, or at your next unlock."
          error={error}
          note={lengthNote(parts, thread.side)}
          value={text}
          onValue={setText}
        />
      </WorkForm>
    </>
  );
}

function End({ ctx, thread, onEnded }: { ctx: Context; thread: ShownThread; onEnded: () => void }): JSX.Element {
  const [asked, setAsked] = useState(false);
  if (!asked) {
    return (
      <p class="govuk-body">
        <Button kind="secondary" onClick={() => setAsked(true)}>
          {" "}
          End this conversation
        </Button>
      </p>
    );
  }
  const end = () => {
    endThread(ctx, thread.thread);
    onEnded();
  };
  return (
    <div class="ww-note">
      <p class="govuk-body">
        The messages and the keys that open them are erased here, and anything still waiting is never sent. What the
        other side has read stays with them. The sealed boards expire by themselves, and nobody can open your part of
        them any more.
      </p>
      <div class="ww-actions">
        <Button kind="warning" onClick={end}>
          {" "}
          Erase and end
        </Button>
        <Button kind="secondary" onClick={() => setAsked(false)}>
          {" "}
          Keep it
        </Button>
      </div>
    </div>
  );
}

/** Conversations as a list of buttons; the newest first. */
export function ThreadList(props: {
  readonly threads: readonly ShownThread[];
  readonly formats: Formats;
  readonly onOpen: (thread: string) => void;
}): JSX.Element {
  return (
    <ul class="govuk-list">
      {props.threads.map((thread) => {
        const last = thread.messages.at(-1);
        return (
          <li class="ww-card" key={thread.thread}>
            <h2 class="govuk-heading-s">{thread.side === "officer" ? thread.name : thread.alias}</h2>
            {last && (
              <p class="govuk-body">
                {last.mine ? STATES[last.state] : `They wrote; received ${props.formats.moment(last.at)}`}
              </p>
            )}
            <Button kind="secondary" last onClick={() => props.onOpen(thread.thread)}>
              {" "}
              Open<span class="govuk-visually-hidden"> {thread.side === "officer" ? thread.name : thread.alias}</span>
            </Button>
          </li>
        );
      })}
    </ul>
  );
}
