import type { Fields } from "./fields.ts";

/**
 * Puts the members beyond `known` under their path into `foreign`, for an encoder to refuse or report: nothing that a
 * caller says is passed over in silence. `prefix` is the path of the object, with its final dot; `null` says nothing.
 */
export function collectForeign(
  fields: Fields,
  known: readonly string[],
  prefix: string,
  foreign: Map<string, unknown>,
): void {
  for (const name of Object.keys(fields)) {
    if (fields[name] !== null && !known.includes(name)) foreign.set(prefix + name, fields[name]);
  }
}
