// A supporter's inbox: conversations by the name each person chose, and answering them.

import type { JSX } from "preact";
import { useState } from "preact/hooks";
import { Link, Note, Title, Visibility } from "../app/parts.js";
import { useRedraw } from "../app/work.js";
import { charter } from "../constants.js";
import type { Context } from "../context.js";
import { formats as makeFormats } from "../formats.js";
import { keyState } from "../post/supporters.js";
import { threads } from "../post/threads.js";
import { Conversation, PostNotice, ThreadList } from "./conversation.js";

export function InboxPage({ ctx }: { ctx: Context }): JSX.Element {
  const [open, setOpen] = useState("");
  const redraw = useRedraw();
  const formats = makeFormats(ctx.site.time_zone);
  const received = threads(ctx).filter(({ side }) => side === "supporter");
  const thread = received.find(({ thread }) => thread === open);
  if (thread) {
    return (
      <Conversation ctx={ctx} thread={thread} formats={formats} phone="" onChange={redraw} onBack={() => setOpen("")} />
    );
  }
  const keys = keyState(ctx);
  return (
    <>
      <Title>Inbox</Title>
      <Visibility category="vault" />
      <PostNotice ctx={ctx} />
      {!keys.listed && (
        <Note>
          Your keys are not in the signed list yet, so nobody can write to you.{" "}
          <Link to="#/supporter-keys">See your keys</Link>.
        </Note>
      )}
      <p class="govuk-body">
        {`Each of your visits sends ${charter.constants.reply_cells_per_session} sealed replies, written or empty. `}
        What you write now leaves when you lock.
      </p>
      {received.length === 0 ? (
        <p class="govuk-body">Nobody has written to you yet. New messages are looked for each time you unlock.</p>
      ) : (
        <ThreadList threads={received} formats={formats} onOpen={setOpen} />
      )}
    </>
  );
}
