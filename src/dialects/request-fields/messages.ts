/** The messages of a conversation, as far as every API that has them checks them alike. */
import { readArray, type Fields } from "./fields.ts";
import { invalid, missing } from "./refusals.ts";

/** At least one. */
export function readMessages(root: Fields): readonly unknown[] {
  const messages = readArray(root, "messages");
  if (messages === null) throw missing("messages");
  if (messages.length === 0) throw invalid("messages", "an array with at least one message");
  return messages;
}

/** A message with a role, whichever that is. */
export function requireMessage(message: unknown, index: number): Fields & { readonly role: string } {
  if (typeof message !== "object" || message === null || Array.isArray(message)) {
    throw invalid(`messages[${index}]`, "an object");
  }
  const { role } = message as Fields;
  if (role === undefined) throw missing(`messages[${index}].role`);
  if (typeof role !== "string") throw invalid(`messages[${index}].role`, "a string, such as user or assistant");
  return message as Fields & { readonly role: string };
}
