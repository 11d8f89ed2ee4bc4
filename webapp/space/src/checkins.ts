// Short check-ins: four sliders and optional words, kept in the vault; their course over time is drawn from there.
//
// Owns: what a check-in is, and its course. Must never see: the network. There are no streaks, reminders or goals.

import type { Records } from "./context.js";

/** The four sliders: 0 at the left word, 10 at the right one. Higher is not always better: load is heavy at 10. */
export const SLIDERS = [
  { id: "sleep", title: "Sleep", question: "How have you slept?", low: "Badly", high: "Well" },
  { id: "load", title: "Load", question: "How heavy is what you carry?", low: "Light", high: "Heavy" },
  { id: "mood", title: "Mood", question: "How is your mood?", low: "Low", high: "Good" },
  { id: "connection", title: "Connection", question: "How close do you feel to people?", low: "Alone", high: "Close" },
] as const;

export type SliderId = (typeof SLIDERS)[number]["id"];
export const STEPS = 10;
export const MOST_LETTERS = 600;

/** What the vault keeps of one check-in: null where a slider was left alone. */
export interface CheckIn {
  readonly values: Readonly<Record<SliderId, number | null>>;
  readonly words: string;
}

export interface Point {
  /** Milliseconds since 1970. */
  readonly at: number;
  readonly value: number;
}

/** The course of one slider since `from`, oldest first. */
export function course(records: Records, slider: SliderId, from: Date): Point[] {
  return records
    .all<CheckIn>("check-in")
    .map(({ at, body }) => ({ at: Date.parse(at), value: body.values[slider] }))
    .filter((point): point is Point => point.value !== null && point.at >= from.getTime());
}

/** Keep a check-in. Throws RangeError for a value that no slider has, or too many letters. */
export function keep(records: Records, checkIn: CheckIn): void {
  for (const value of Object.values(checkIn.values)) {
    if (value !== null && !(Number.isInteger(value) && value >= 0 && value <= STEPS)) throw new RangeError("0 to 10");
  }
  if (checkIn.words.length > MOST_LETTERS) throw new RangeError("too many letters");
  records.put<CheckIn>("check-in", checkIn);
}

/** Whether there is anything to keep. */
export function isEmpty({ values, words }: CheckIn): boolean {
  return words.trim() === "" && Object.values(values).every((value) => value === null);
}
