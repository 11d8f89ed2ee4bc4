// The questionnaires of a copy as a clinician's system reads them: FHIR R4 (4.0.1), a Bundle of QuestionnaireResponse.
//
// Owns: their form. No name and no number of the officer is in it: whose answers they are, the officer says. Answers
// are codings with the points that each counts (extension ordinalValue); a skipped question is an item without an
// answer.

import type { VaultRecord } from "../context.js";
import { model, type Screener, score, screenerOf, type Taken } from "../screeners.js";
import { baseName } from "../vault/records.js";
import type { Copy } from "./format.js";

const ORDINAL_VALUE = "http://hl7.org/fhir/StructureDefinition/ordinalValue";

interface Item {
  readonly linkId: string;
  readonly text: string;
  readonly answer?: readonly object[];
}

function uuid(id: string): string {
  return baseName(id).replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, "$1-$2-$3-$4-$5");
}

function itemsOf(screener: Screener, { answers }: Taken): Item[] {
  const system = `urn:wardwell:screener:${screener.id}:answers`;
  const items: Item[] = [];
  if (screener.gate) {
    const answer = answers.gate === null ? {} : { answer: [{ valueBoolean: answers.gate }] };
    items.push({ linkId: "gate", text: screener.gate, ...answer });
  }
  screener.items.forEach((text, at) => {
    const option = screener.options.find(({ value }) => value === answers.items[at]);
    const coding = option && {
      extension: [{ url: ORDINAL_VALUE, valueDecimal: option.value }],
      system,
      code: String(option.value),
      display: option.label,
    };
    items.push({ linkId: String(at + 1), text, ...(coding ? { answer: [{ valueCoding: coding }] } : {}) });
  });
  const total = score(screener, answers).score;
  if (total !== null) items.push({ linkId: "score", text: "Score", answer: [{ valueInteger: total }] });
  return items;
}

function response({ id, at, body }: VaultRecord<Taken>): object[] {
  // Answers to an earlier version of the questions cannot be expressed here; the records and the pages have them.
  const screener = body.version === model.version ? screenerOf(body.screener) : undefined;
  if (!screener) return [];
  const resource = {
    resourceType: "QuestionnaireResponse",
    id: uuid(id),
    questionnaire: `urn:wardwell:screener:${screener.id}|${model.version}`,
    status: "completed",
    authored: at,
    item: itemsOf(screener, body),
  };
  return [{ fullUrl: `urn:uuid:${uuid(id)}`, resource }];
}

/** A FHIR Bundle of type "collection" with every questionnaire of `copy` that was taken in its present version. */
export function questionnaireResponses(copy: Copy): object {
  const taken = copy.records.filter(({ type }) => type === "screener") as VaultRecord<Taken>[];
  const entry = taken.flatMap(response);
  // FHIR does not allow an empty list.
  return {
    resourceType: "Bundle",
    type: "collection",
    timestamp: copy.exported_at,
    ...(entry.length ? { entry } : {}),
  };
}
