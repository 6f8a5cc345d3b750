import { nearest } from "../../kernel/nearest.ts";
import { refuse } from "./refusals.ts";

/** Throws `invalid_argument` for what is no name of the IANA time zone database; offsets such as `+02:00` are none. */
export function checkTimeZone(name: string): void {
  if (isTimeZone(name)) return;
  const near = nearest(name, Intl.supportedValuesOf("timeZone"), 1);
  const hint =
    near.length > 0 ? `Did you mean ${near.join()}?` : "Names are such as Europe/Berlin, America/New_York or UTC.";
  const message = `There is no time zone ${JSON.stringify(name)}. ${hint}`;
  throw refuse("timeZone", message);
}

function isTimeZone(name: string): boolean {
  if (!/^[A-Za-z]/.test(name)) return false;
  try {
    return new Temporal.ZonedDateTime(0n, name).timeZoneId === name;
  } catch {
    return false;
  }
}
