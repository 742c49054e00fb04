// Times as people and programs write them, read one way everywhere: what one machine would take for another time than the next is none.

const ISO = /^(\d{4})-(\d{2})-(\d{2})(?:T(\d{2}):(\d{2})(?::(\d{2})(?:\.(\d{1,9}))?)?(?:Z|([+-])(\d{2}):(\d{2}))?)?$/;
const MINUTE_MS = 60_000;

/** Unix milliseconds of an ISO 8601 date or date-time, in UTC where no zone is said. undefined: it is none, or no such day or hour. */
export function isoTime(text: string): number | undefined {
  const match = ISO.exec(text);
  if (!match) return undefined;
  const [year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0] = match.slice(1, 7).map((digits) => Number(digits ?? 0));
  const [, , , , , , , fraction = "", sign, zoneHours = "0", zoneMinutes = "0"] = match;
  const at = Date.UTC(year, month - 1, day, hour, minute, second, Number(fraction.slice(0, 3).padEnd(3, "0")));
  const date = new Date(at);
  // There and back: 30 February would become 2 March, 24:00 the next day, the year 26 the year 1926.
  const same =
    date.getUTCFullYear() === year &&
    date.getUTCMonth() === month - 1 &&
    date.getUTCDate() === day &&
    date.getUTCHours() === hour &&
    date.getUTCMinutes() === minute &&
    date.getUTCSeconds() === second;
  if (!same || Number(zoneHours) > 23 || Number(zoneMinutes) > 59) return undefined;
  const eastMs = (Number(zoneHours) * 60 + Number(zoneMinutes)) * MINUTE_MS;
  return sign === "-" ? at + eastMs : at - eastMs;
}

/** As `isoTime`, or Unix seconds (10 digits) or milliseconds (13): no other number of digits tells which of them, or a date, is meant. */
export function timeOf(text: string): number | undefined {
  if (/^\d{10}$/.test(text)) return Number(text) * 1000;
  if (/^\d{13}$/.test(text)) return Number(text);
  return isoTime(text);
}
