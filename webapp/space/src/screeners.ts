// Screeners: the questions, and their published scoring. Pure functions.
//
// Owns: reading `appliance/rules/screeners.json`, which holds every word, cut-off and source. Must never see: the
// network. Results live in the vault and nowhere else. Every question may be skipped: a score is given only when all
// were answered, but whether the cut-off is reached is said as soon as the skipped ones cannot change it.

import screenersJson from "../../../appliance/rules/screeners.json";

export interface Option {
  readonly label: string;
  readonly value: number;
}

export interface Screener {
  readonly id: string;
  readonly title: string;
  readonly about: string;
  /** What stands before each item. */
  readonly period: string;
  /** A first question: if the answer is no, nothing else is asked and the score is 0. "" for none. */
  readonly gate: string;
  readonly options: readonly Option[];
  readonly items: readonly string[];
  /** The score is the sum of the answers times this. */
  readonly factor: number;
  /** Whether a "low" or a "high" score reaches the cut-off. */
  readonly direction: "low" | "high";
  readonly cutoff: number;
  readonly cutoff_reason: string;
  readonly better: string;
  readonly worse: string;
  readonly source: string;
}

/** One answer per item in order, null when it was skipped. `gate`: null also when there is none. */
export interface Answers {
  readonly gate: boolean | null;
  readonly items: readonly (number | null)[];
}

export interface Outcome {
  /** null: too many questions were skipped for a score. */
  readonly score: number | null;
  readonly highest: number;
  /** Whether the published cut-off is reached; null: it depends on the skipped questions. */
  readonly reached: boolean | null;
}

/** What the vault keeps of one completed screener. */
export interface Taken {
  readonly screener: string;
  readonly version: number;
  readonly answers: Answers;
}

export const model: { readonly version: number; readonly note: string; readonly screeners: readonly Screener[] } = {
  ...screenersJson,
  screeners: screenersJson.screeners as unknown as readonly Screener[],
};

export function screenerOf(id: string): Screener | undefined {
  return model.screeners.find((screener) => screener.id === id);
}

/** Score `answers`. Throws Error when they do not have one entry per item or hold a value that no option has. */
export function score(screener: Screener, answers: Answers): Outcome {
  const values = screener.options.map(({ value }) => value);
  const [least, most] = [Math.min(...values), Math.max(...values)];
  const highest = most * screener.items.length * screener.factor;
  if (answers.items.length !== screener.items.length) throw new Error("one answer or null for each item");
  if (answers.items.some((answer) => answer !== null && !values.includes(answer))) throw new Error("no such option");
  if (screener.gate && answers.gate === false) return { score: 0, highest, reached: false };
  const sum = (skipped: number) => answers.items.reduce<number>((total, answer) => total + (answer ?? skipped), 0);
  const reaches = (points: number) =>
    screener.direction === "high"
      ? points * screener.factor >= screener.cutoff
      : points * screener.factor <= screener.cutoff;
  const [low, high] = [reaches(sum(least)), reaches(sum(most))];
  return {
    score: answers.items.includes(null) ? null : sum(0) * screener.factor,
    highest,
    reached: low === high ? low : null,
  };
}
