// Dates and numbers as people in the United States read them, in the site's time zone.

export interface Formats {
  /** "November 18, 2026" */
  date(iso: string): string;
  /** "November 18, 2026, 2:02 PM" */
  moment(iso: string): string;
  /** "2:02 PM" */
  time(iso: string): string;
  /** "2026-11-18": the agency-local day, for grouping. */
  day(iso: string): string;
  /** "Nov 2026" */
  month(iso: string): string;
}

export function formats(timeZone: string): Formats {
  const make = (options: Intl.DateTimeFormatOptions) => new Intl.DateTimeFormat("en-US", { timeZone, ...options });
  const date = make({ dateStyle: "long" });
  const moment = make({ year: "numeric", month: "long", day: "numeric", hour: "numeric", minute: "2-digit" });
  const time = make({ hour: "numeric", minute: "2-digit" });
  const day = new Intl.DateTimeFormat("en-CA", { timeZone, year: "numeric", month: "2-digit", day: "2-digit" });
  const month = make({ month: "short", year: "numeric" });
  return {
    date: (iso) => date.format(new Date(iso)),
    moment: (iso) => moment.format(new Date(iso)),
    time: (iso) => time.format(new Date(iso)),
    day: (iso) => day.format(new Date(iso)),
    month: (iso) => month.format(new Date(iso)),
  };
}

/** "1 call", "3 calls". */
export function count(n: number, one: string, many = `${one}s`): string {
  return `${n.toLocaleString("en-US")} ${n === 1 ? one : many}`;
}
