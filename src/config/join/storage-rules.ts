import { secretPattern } from "../options/schema.ts";
import { fieldsOf, type JoinContext, refuse } from "./context.ts";
import { readSecret } from "./secret-reader.ts";

/** Rules for `storage`: the shared database is named by a URL that the driver understands. */
export function checkStorage(storage: unknown, context: JoinContext): void {
  const { postgres } = fieldsOf(storage);
  if (typeof postgres !== "string" || !secretPattern.test(postgres)) return;
  const reading = readSecret(postgres, context.env, context.folder);
  if (!reading.ok || isPostgresUrl(reading.secret.reveal())) return;
  const message = "refers to something that is not the URL of a PostgreSQL database";
  const advice =
    "Write postgres://user:password@host:5432/database, with special characters of the password percent-encoded.";
  refuse(context, ["storage", "postgres"], message, advice);
}

function isPostgresUrl(text: string): boolean {
  const url = URL.parse(text);
  return url !== null && /^postgres(?:ql)?:$/.test(url.protocol) && url.host !== "" && url.pathname.length > 1;
}
