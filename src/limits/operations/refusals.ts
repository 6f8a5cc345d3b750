import { HeadgateError } from "../../kernel/errors.ts";

/** An argument that cannot be used; `param` is what the person calls it. */
export function refuse(param: string, message: string): HeadgateError {
  return new HeadgateError("invalid_argument", message, { param });
}

/** `what` is also the command that lists such things: `tenant`. */
export function notFound(what: "tenant" | "project" | "key", id: string): HeadgateError {
  const message = `There is no ${what} ${JSON.stringify(id)}. \`headgate ${what} list\` shows those there are.`;
  return new HeadgateError("not_found", message, { param: what });
}
