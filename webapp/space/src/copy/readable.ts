// A copy as pages that any browser shows: one HTML file without scripts, without anything from elsewhere.
//
// Owns: how a copy reads. Everything that people wrote goes through `html`, which escapes it.

import { notThere } from "../adjustments.js";
import { type CheckIn, SLIDERS } from "../checkins.js";
import type { Records, VaultRecord } from "../context.js";
import { contributions } from "../deliveries.js";
import type { Entry } from "../entry.js";
import { type ExposureMonth, roleTitle, titleOf } from "../exposure.js";
import type { Formats } from "../formats.js";
import { model, score, screenerOf, type Taken } from "../screeners.js";
import type { Copy } from "./format.js";

const STYLE =
  "body{font:1rem/1.5 sans-serif;max-width:50rem;margin:2rem auto;padding:0 1rem}table{border-collapse:collapse}" +
  "td,th{text-align:left;vertical-align:top;padding:.2rem .8rem .2rem 0}p,li{white-space:pre-line}";
const POLICY = "default-src 'none'; style-src 'unsafe-inline'";

/** Text that is HTML already. */
class Html {
  constructor(readonly text: string) {}
}

type Part = string | number | Html | readonly Html[];

const ESCAPES: Readonly<Record<string, string>> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "'": "&#39;",
};

function written(part: Part): string {
  if (part instanceof Html) return part.text;
  if (Array.isArray(part)) return part.map(written).join("\n");
  return String(part).replace(/[&<>"']/g, (character) => ESCAPES[character] ?? "");
}

function html(strings: TemplateStringsArray, ...parts: Part[]): Html {
  return new Html(strings.map((piece, at) => piece + (at < parts.length ? written(parts[at] ?? "") : "")).join(""));
}

const section = (title: string, content: readonly Html[]) =>
  html`<h2>${title}</h2>
${content.length > 0 ? content : html`<p>Nothing.</p>`}`;
const table = (head: readonly string[], rows: readonly Html[]) =>
  rows.length > 0
    ? [
        html`<table><tr>${head.map((title) => html`<th>${title}</th>`)}</tr>
${rows}</table>`,
      ]
    : [];
const row = (...cells: Part[]) => html`<tr>${cells.map((cell) => html`<td>${cell}</td>`)}</tr>`;

function checkIns(records: readonly VaultRecord<CheckIn>[], formats: Formats): Html[] {
  const head = ["When", ...SLIDERS.map(({ title, low, high }) => `${title} (0 ${low}, 10 ${high})`), "Words"];
  const rows = records.map(({ at, body }) =>
    row(formats.moment(at), ...SLIDERS.map(({ id }) => body.values[id] ?? ""), body.words),
  );
  return table(head, rows);
}

function questionnaire({ at, body }: VaultRecord<Taken>, formats: Formats): Html {
  const screener = body.version === model.version ? screenerOf(body.screener) : undefined;
  if (!screener)
    return html`<h3>${body.screener}, version ${body.version}, ${formats.moment(at)}</h3>
<p>${JSON.stringify(body.answers)}</p>`;
  const outcome = score(screener, body.answers);
  const without = body.answers.gate === false ? "Not asked" : "Skipped";
  const label = (answer: number | null | undefined) =>
    screener.options.find(({ value }) => value === answer)?.label ?? without;
  const gate = body.answers.gate === null ? "Skipped" : body.answers.gate ? "Yes" : "No";
  const unclear = "Too many questions were skipped to say anything.";
  const reading = outcome.reached === null ? unclear : outcome.reached ? screener.worse : screener.better;
  return html`<h3>${screener.title}, ${formats.moment(at)}</h3>
<p>${screener.period}</p>
<ul>${screener.gate ? [html`<li>${screener.gate}: ${gate}</li>`] : []}
${screener.items.map((item, n) => html`<li>${item}: ${label(body.answers.items[n])}</li>`)}</ul>
<p>${outcome.score === null ? "" : `Score: ${outcome.score} of ${outcome.highest}. `}${reading} This is not a diagnosis. ${screener.source}</p>`;
}

function conversations(of: <T>(type: string) => VaultRecord<T>[], formats: Formats): Html[] {
  const messages = of<{ thread: string; mine: boolean; text: string }>("post-message");
  return of<{ thread: string; name: string; alias: string }>("post-thread").map(({ body: { thread, name, alias } }) => {
    const own = messages.filter(({ body }) => body.thread === thread);
    return html`<h3>With ${name}, as ${alias}</h3>
<ul>${own.map(({ at, body }) => html`<li>${formats.moment(at)}, ${body.mine ? "you" : name}: ${body.text}</li>`)}</ul>`;
  });
}

/** All of `copy` as one HTML document. */
export function pages(copy: Copy, formats: Formats): string {
  const of = <T>(type: string) => copy.records.filter((record) => record.type === type) as VaultRecord<T>[];
  const records = { all: of } as Pick<Records, "all"> as Records;
  const aside = notThere(records);
  const calls = contributions(records)
    .sort((a, b) => (a.at < b.at ? -1 : 1))
    .map(({ id, at, type, role, minutes }) =>
      row(
        formats.moment(at),
        titleOf(type),
        roleTitle(role),
        minutes ?? "",
        aside.has(id) ? "You said that you were not there" : "",
      ),
    );
  const months = of<ExposureMonth>("exposure-month").map(({ body: { month, counts } }) =>
    row(
      month,
      Object.entries(counts)
        .map(([type, n]) => `${titleOf(type)}: ${n}`)
        .join(", "),
    ),
  );
  const looks = of<Entry>("entry").map(({ body: { at, body } }) =>
    row(formats.moment(at), body.actor, body.outcome, body.category, body.purpose, body.note),
  );
  const never = of<{ number: number; on: boolean }>("choice-never").filter(({ body }) => body.on).length;
  const reachOut = of<{ until: string }>("choice-reach-out").at(-1)?.body.until;
  const quiet = of<{ until: string }>("choice-quiet").at(-1)?.body.until;
  const choices = [
    html`<li>A peer may reach out: ${reachOut ? `until ${formats.date(reachOut)}` : "off"}</li>`,
    html`<li>People never to be involved: ${never}</li>`,
    html`<li>Quiet: ${quiet ? `until ${formats.date(quiet)}` : "off"}</li>`,
  ];
  return html`<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta http-equiv="Content-Security-Policy" content="${POLICY}">
<title>My copy</title><style>${new Html(STYLE)}</style></head><body>
<h1>My copy of my private space</h1>
<p>Made on ${formats.moment(copy.exported_at)}. Whoever has this file can read all of it: keep it as you would keep a diary.</p>
${section("Check-ins", checkIns(of<CheckIn>("check-in"), formats))}
${section(
  "Questionnaires",
  of<Taken>("screener").map((record) => questionnaire(record, formats)),
)}
${section("Calls", table(["When", "Kind", "Part in it", "Minutes", "Note"], calls))}
${section("Calls of long ago, by month", table(["Month", "Kinds"], months))}
${section("Conversations", conversations(of, formats))}
${section("Who looked", table(["When", "Who", "Outcome", "At what", "Why", "Note"], looks))}
<h2>Choices</h2>
<ul>${choices}</ul>
</body></html>
`.text;
}
