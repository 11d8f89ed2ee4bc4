// A supporter's keys: made here, and the public part handed to the officers' trustee, who signs it into the list.
//
// The secret parts never leave the vault. What is exported is public; what protects it is that the trustee compares the
// check groups by phone or in person before signing.

import type { JSX } from "preact";
import { useEffect, useState } from "preact/hooks";
import { Button, Details, Field, ProblemNote, Title, Visibility, WorkForm } from "../app/parts.js";
import { useWork } from "../app/work.js";
import type { Context } from "../context.js";
import { formats as makeFormats } from "../formats.js";
import { keyCheck, keyState, makeSupporterKeys, ownEntry, type PublicBlock, publicBlock } from "../post/supporters.js";

export function SupporterKeysPage({ ctx }: { ctx: Context }): JSX.Element {
  const work = useWork();
  const [block, setBlock] = useState<PublicBlock | null>(null);
  const formats = makeFormats(ctx.site.time_zone);
  const state = keyState(ctx);
  const make = () =>
    work.run(async () => {
      await makeSupporterKeys(ctx);
      setBlock(null);
    });
  return (
    <>
      <Title>Your keys</Title>
      <Visibility category="vault" />
      <ProblemNote problem={work.problem} />
      <p class="govuk-body">
        People seal what they write to your keys, which are made in this browser. Only you can open it. Make new keys
        every month: the old ones are destroyed 30 days after the list names the new ones, and after that nobody can
        read what was sealed to them.
      </p>
      {state.made && (
        <p class="govuk-body">
          {`Your newest keys were made on ${formats.date(state.made)}. `}
          {state.listed ? "The signed list names them." : "The signed list does not name them yet."}
        </p>
      )}
      {(!state.made || state.dueForRenewal) && (
        <WorkForm
          action={state.made ? "Make new keys" : "Make your keys"}
          busyText="Making keys"
          busy={work.busy}
          onSubmit={make}>
          {state.dueForRenewal && <p class="govuk-body">They are older than 30 days: it is time for new ones.</p>}
        </WorkForm>
      )}
      {state.made && !state.dueForRenewal && <Export ctx={ctx} block={block} onBlock={setBlock} />}
    </>
  );
}

function Export(props: {
  ctx: Context;
  block: PublicBlock | null;
  onBlock: (block: PublicBlock) => void;
}): JSX.Element {
  const listed = ownEntry(props.ctx);
  const [name, setName] = useState(listed?.name ?? props.ctx.name);
  const [phone, setPhone] = useState(listed?.phone ?? "");
  const [about, setAbout] = useState(listed?.about ?? "");
  const [languages, setLanguages] = useState(listed?.languages.join(", ") ?? "English");
  const [error, setError] = useState("");
  const show = () => {
    if (name.trim() === "") return setError("Enter the name that the directory shows.");
    setError("");
    const spoken = languages
      .split(",")
      .map((language) => language.trim())
      .filter((language) => language !== "");
    props.onBlock(
      publicBlock(props.ctx, { name: name.trim(), phone: phone.trim(), about: about.trim(), languages: spoken }),
    );
  };
  return (
    <>
      <h2 class="govuk-heading-m">Your entry in the directory</h2>
      <WorkForm action="Show what goes to the trustee" busyText="Working" busy={false} onSubmit={show}>
        <Field id="name" label="Name" value={name} onValue={setName} {...(error ? { error } : {})} />
        <Field
          id="phone"
          label="Phone"
          hint="For contact outside the agency's systems."
          value={phone}
          onValue={setPhone}
          width="govuk-input--width-20"
        />
        <Field id="about" label="About you" hint="One sentence." value={about} onValue={setAbout} />
        <Field
          id="languages"
          label="Languages"
          hint="Separate them with commas."
          value={languages}
          onValue={setLanguages}
        />
      </WorkForm>
      {props.block && <Block block={props.block} />}
    </>
  );
}

function Block({ block }: { block: PublicBlock }): JSX.Element {
  const [check, setCheck] = useState("");
  useEffect(() => void keyCheck(block).then(setCheck), [block]);
  const words = JSON.stringify(block, null, 1);
  const save = () => {
    const address = URL.createObjectURL(new Blob([words], { type: "application/json" }));
    const link = document.createElement("a");
    link.href = address;
    link.download = "supporter-keys.json";
    link.click();
    URL.revokeObjectURL(address);
  };
  return (
    <>
      <h2 class="govuk-heading-m">For the officers' trustee</h2>
      <p class="govuk-body">
        Save this file and hand it over. Nothing in it is secret. Then read these groups to the trustee, by phone or in
        person: the trustee signs only if they match.
      </p>
      <p class="ww-code">{check}</p>
      <Button onClick={save}> Save the file</Button>
      <Details title="What the file says">
        <p class="ww-code">{words}</p>
      </Details>
    </>
  );
}
