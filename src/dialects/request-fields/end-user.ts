import { readText, type Fields } from "./fields.ts";
import { invalid } from "./refusals.ts";

/** Most characters of a name for the end user: it is kept with every record of a request. */
const END_USER_CHARS_MAX = 512;

/** `user`, `safety_identifier` or `metadata.user_id`. `prefix` is the path of the object, with its final dot. */
export function readEndUser(fields: Fields, name: string, prefix = ""): string | null {
  const value = readText(fields, name, prefix);
  if (value !== null && value.length > END_USER_CHARS_MAX) {
    throw invalid(prefix + name, `a string of at most ${END_USER_CHARS_MAX} characters`);
  }
  return value;
}
