/**
 * Rules for `providers` that no schema of single values can state. They look at what the file says, not at what the
 * schema made of it, so that they speak even when the schema refused something else.
 */
import { nearest } from "../../kernel/nearest.ts";
import { didYouMean } from "../file/issues.ts";
import { providersOption } from "../options/providers.ts";
import { secretPattern } from "../options/schema.ts";
import type { KnownProvider } from "../known-provider.ts";
import { fieldsOf, itemsOf, type JoinContext, refuse, warn } from "./context.ts";
import { readSecret } from "./secret-reader.ts";

/** Headers that carry keys, and those that belong to the connection. */
const keyHeaders = ["authorization", "proxy-authorization", "x-api-key", "api-key", "x-goog-api-key", "cookie"];
const ownHeaders = [
  "host",
  "connection",
  "content-length",
  "content-type",
  "content-encoding",
  "accept-encoding",
  "transfer-encoding",
  "upgrade",
  "te",
  "trailer",
  "expect",
];

export function checkProviders(providers: unknown, context: JoinContext): void {
  for (const [name, provider] of Object.entries(fieldsOf(providers))) {
    const fields = fieldsOf(provider);
    checkKind(name, fields, context);
    checkKeys(name, fields, context);
    checkHeaders(name, fields, context);
    checkListedModels(name, fields, context);
  }
}

/** The catalogue's entry for a provider of the file, if its kind is known. */
export function knownProvider(name: string, kind: unknown, context: JoinContext): KnownProvider | null {
  return context.knownProviders.find((known) => known.id === (kind ?? name)) ?? null;
}

/**
 * The variable that holds the key of a provider that names none itself. Not when the catalogue's address is replaced:
 * a key goes only where it was meant to go.
 */
export function keyVariable(
  known: KnownProvider | null,
  fields: Readonly<Record<string, unknown>>,
  context: JoinContext,
): string | null {
  if (known === null || !expectsVariable(known, fields)) return null;
  return known.environment.find((variable) => (context.env[variable] ?? "") !== "") ?? null;
}

function expectsVariable(known: KnownProvider, fields: Readonly<Record<string, unknown>>): boolean {
  const ownAddress = (fields["baseUrl"] ?? null) !== null && known.baseUrl !== null;
  return !ownAddress && (fields["key"] ?? null) === null && itemsOf(fields["credentials"]).length === 0;
}

function checkKind(name: string, fields: Readonly<Record<string, unknown>>, context: JoinContext): void {
  if (!providersOption.keyPattern.test(name)) return;
  const known = knownProvider(name, fields["kind"], context);
  const ids = context.knownProviders.map((provider) => provider.id);
  const kind = fields["kind"] ?? null;
  if (known === null && kind === null) {
    const suggestion =
      didYouMean(nearest(name, ids, 1)) ?? "For any other endpoint add `kind: openai-compatible` and `baseUrl`.";
    refuse(context, ["providers", name], "is not a provider of the catalogue and has no `kind`", suggestion, "key");
  } else if (known === null && typeof kind === "string") {
    const suggestion = didYouMean(nearest(kind, ids, 1)) ?? `Known kinds: ${ids.join(", ")}.`;
    refuse(
      context,
      ["providers", name, "kind"],
      `is not a known kind of provider: ${JSON.stringify(kind)}`,
      suggestion,
    );
  } else if (known?.baseUrl === null && (fields["baseUrl"] ?? null) === null) {
    refuse(context, ["providers", name], `needs a \`baseUrl\`: ${known.title} has no common address`, null, "key");
  }
}

function checkKeys(name: string, fields: Readonly<Record<string, unknown>>, context: JoinContext): void {
  const path = ["providers", name];
  const credentials = itemsOf(fields["credentials"]);
  if (typeof fields["key"] === "string") {
    checkSecret(fields["key"], [...path, "key"], context);
    if (credentials.length > 0) {
      refuse(context, [...path, "key"], "stands beside `credentials`", "Move it into the list, with a name.", "key");
    }
  }
  const names = new Set<unknown>();
  credentials.forEach((credential, index) => {
    const { name: credentialName, key } = fieldsOf(credential);
    const itemPath = [...path, "credentials", index];
    if (typeof key === "string") checkSecret(key, [...itemPath, "key"], context);
    if (typeof credentialName === "string" && names.has(credentialName)) {
      refuse(context, [...itemPath, "name"], "is the name of another credential, too", "Give each its own name.");
    }
    names.add(credentialName);
  });
  checkKeyPresent(name, fields, context);
}

function checkKeyPresent(name: string, fields: Readonly<Record<string, unknown>>, context: JoinContext): void {
  const known = knownProvider(name, fields["kind"], context);
  if (known === null || known.environment.length === 0 || !expectsVariable(known, fields)) return;
  const variable = keyVariable(known, fields, context);
  if (variable !== null) return checkSecret(`env:${variable}`, ["providers", name], context);
  if (!context.keysRequired) return;
  const suggestion = `Set ${known.environment.join(" or ")}, or write \`key: env:NAME\`.`;
  refuse(context, ["providers", name], "has no API key", suggestion, "key");
}

function checkSecret(reference: string, path: readonly PropertyKey[], context: JoinContext): void {
  if (!secretPattern.test(reference)) return;
  const reading = readSecret(reference, context.env, context.folder);
  if (!reading.ok) {
    if (context.keysRequired) refuse(context, path, reading.problem.message, reading.problem.suggestion);
  } else if (reading.warning !== null) warn(context, path, reading.warning.message, reading.warning.suggestion);
}

function checkHeaders(name: string, fields: Readonly<Record<string, unknown>>, context: JoinContext): void {
  for (const header of Object.keys(fieldsOf(fields["headers"]))) {
    const path = ["providers", name, "headers", header];
    const lower = header.toLowerCase();
    if (keyHeaders.includes(lower)) {
      refuse(
        context,
        path,
        "is a header that carries a key",
        `Write \`key: env:NAME\` in providers.${name} instead.`,
        "key",
      );
    } else if (ownHeaders.includes(lower)) {
      refuse(context, path, "is a header that the gateway sets itself", "Leave it out.", "key");
    }
  }
}

function checkListedModels(name: string, fields: Readonly<Record<string, unknown>>, context: JoinContext): void {
  const seen = new Set<unknown>();
  itemsOf(fields["models"]).forEach((listed, index) => {
    const model = fieldsOf(listed)["name"];
    if (typeof model === "string" && seen.has(model)) {
      const path = ["providers", name, "models", index, "name"];
      refuse(context, path, `names ${model}, which the list has already`, "Leave one of the two out.");
    }
    seen.add(model);
  });
}
