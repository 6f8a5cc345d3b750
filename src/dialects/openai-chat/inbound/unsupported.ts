import { HeadgateError } from "../../../kernel/errors.ts";

/** For what a caller may say in this dialect but no translation can carry. */
export function unsupported(param: string, why: string): HeadgateError {
  return new HeadgateError("unsupported_parameter", `${param}: ${why}`, { param });
}
