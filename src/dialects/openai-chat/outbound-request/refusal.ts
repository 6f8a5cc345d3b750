import { HeadgateError } from "../../../kernel/errors.ts";

/** A field that this dialect cannot carry and whose absence would change the answer. */
export function unsupported(param: string, message: string): HeadgateError {
  return new HeadgateError("unsupported_parameter", message, { param });
}
