/**
 * Tenants, projects and keys: the operations that the command line and the admin API share.
 *
 * A tenant has projects, a project has keys; a request is charged to all three. Names are for people and unique
 * among siblings; wherever an operation takes a tenant, a project or a key, its id does as well as its name.
 * Nothing is deleted: disabling and revoking keep what old records refer to.
 *
 * Invariant: each change is one of storage/control-version.ts: it commits together with a higher control version, which
 * makes every gateway process forget the keys it has cached.
 */
import type { Kysely } from "kysely";
import type { Clock } from "../kernel/clock.ts";
import { HeadgateError } from "../kernel/errors.ts";
import type { IdSource, RandomFill } from "../kernel/ids.ts";
import type { Database } from "../storage/schema.ts";

export interface TenancyDeps {
  readonly db: Kysely<Database>;
  readonly clock: Clock;
  readonly ids: IdSource;
  readonly randomFill: RandomFill;
}

const NAME = /^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$/;
const ID = /^(?:ten|prj|key)_/;

/** Throws `invalid_argument` for a name that would not be usable on a command line or could be taken for an id. */
export function checkName(what: string, name: string): void {
  if (NAME.test(name) && !ID.test(name)) return;
  throw new HeadgateError(
    "invalid_argument",
    `${JSON.stringify(name)} cannot be the name of a ${what}. A name begins with a letter or digit, has at most 63 letters, digits, ".", "_" or "-", ` +
      'and does not begin with "ten_", "prj_" or "key_".',
    { param: "name" },
  );
}

export function alreadyExists(what: string, name: string): HeadgateError {
  return new HeadgateError(
    "already_exists",
    `There is already a ${what} named ${JSON.stringify(name)}. Choose another name.`,
    {
      param: "name",
    },
  );
}

export function notFound(what: string, nameOrId: string): HeadgateError {
  return new HeadgateError(
    "not_found",
    `There is no ${what} ${JSON.stringify(nameOrId)}. \`headgate ${what} list\` shows those there are.`,
    {
      param: what,
    },
  );
}
