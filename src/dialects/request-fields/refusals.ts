/** Refusals of a caller's field, named by its path: `messages[2].content`. */
import { HeadgateError } from "../../kernel/errors.ts";

export function invalid(param: string, expected: string): HeadgateError {
  return new HeadgateError("invalid_value", `${param} must be ${expected}.`, { param });
}

export function missing(param: string): HeadgateError {
  return new HeadgateError("missing_field", `${param} is required.`, { param });
}

/** For what a caller may say in this dialect but no translation can carry. */
export function unsupported(param: string, why: string): HeadgateError {
  return new HeadgateError("unsupported_parameter", `${param}: ${why}`, { param });
}
