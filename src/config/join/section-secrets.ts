/** Secrets that stand in a section of their own, `alerts.webhookSecret`, as opposed to the keys of providers. */
import type { Config } from "../config.ts";
import { type ConfigFile, settableOptions } from "../options/options.ts";
import { secretPattern } from "../options/schema.ts";
import { fieldsOf, type JoinContext, refuse, warn } from "./context.ts";
import { readSecret, secretOf } from "./secret-reader.ts";

/** `file` as it was written, variables and flags included. */
export function checkSectionSecrets(file: unknown, context: JoinContext): void {
  for (const { steps, reference } of referencesOf(file)) {
    const reading = readSecret(reference, context.env, context.folder);
    const isRequired = context.keysRequired || steps[0] === "storage";
    if (!reading.ok) {
      if (isRequired) refuse(context, steps, reading.problem.message, reading.problem.suggestion);
    } else if (reading.warning !== null) warn(context, steps, reading.warning.message, reading.warning.suggestion);
  }
}

/** Expects that the check found no problem. */
export function joinSectionSecrets(
  file: Omit<ConfigFile, "providers" | "$schema">,
  context: JoinContext,
): Omit<Config, "providers"> {
  const joined: Record<string, unknown> = { ...file };
  for (const { steps, reference } of referencesOf(file)) {
    const [section, name] = steps;
    joined[section] = { ...fieldsOf(joined[section]), [name]: secretOf(reference, context) };
  }
  // The type of every section but for its secrets is the same in the file.
  return joined as unknown as Omit<Config, "providers">;
}

interface Reference {
  readonly steps: readonly [section: string, name: string];
  readonly reference: string;
}

function referencesOf(file: unknown): readonly Reference[] {
  return settableOptions().flatMap(({ path, option }) => {
    if (option.type !== "secret") return [];
    const [section = "", name = ""] = path.split(".");
    const reference = fieldsOf(fieldsOf(file)[section])[name];
    if (typeof reference !== "string" || !secretPattern.test(reference)) return [];
    return [{ steps: [section, name] as const, reference }];
  });
}
