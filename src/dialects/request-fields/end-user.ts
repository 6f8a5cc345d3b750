import { readText, type Fields } from "./fields.ts";
import { invalid } from "./refusals.ts";

/** Most characters of a name for the end user: it is kept with every record of a request. */
const END_USER_CHARS_MAX = 512;

/** `user` or `safety_identifier`. */
export function readEndUser(fields: Fields, name: string): string | null {
  const value = readText(fields, name);
  if (value !== null && value.length > END_USER_CHARS_MAX) {
    throw invalid(name, `a string of at most ${END_USER_CHARS_MAX} characters`);
  }
  return value;
}
