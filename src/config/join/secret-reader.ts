/**
 * Reads what secret references point at: variables of the injected environment and files relative to the
 * configuration file. What it says about a secret never contains the secret.
 */
import { readFileSync, statSync } from "node:fs";
import { resolve } from "node:path";
import type { Secret } from "../config.ts";
import type { Environment } from "../overrides.ts";
import { createMissingSecret, createSecret } from "../secret.ts";

export type SecretReading =
  | { readonly ok: true; readonly secret: Secret; readonly warning: Complaint | null }
  | { readonly ok: false; readonly problem: Complaint };

export interface Complaint {
  readonly message: string;
  readonly suggestion: string;
}

const SECRET_CHARS_MAX = 16 * 1024;

/** `reference` is `env:NAME` or `file:PATH`; a relative path starts at `folder`. */
export function readSecret(reference: string, env: Environment, folder: string): SecretReading {
  const name = reference.slice(reference.indexOf(":") + 1);
  return reference.startsWith("env:") ? readVariable(name, env) : readSecretFile(name, resolve(folder, name));
}

/** What the reference points at, or a secret that says why it is missing. */
export function secretOf(
  reference: string,
  { env, folder }: { readonly env: Environment; readonly folder: string },
): Secret {
  const reading = readSecret(reference, env, folder);
  if (reading.ok) return reading.secret;
  const { message, suggestion } = reading.problem;
  return createMissingSecret(reference, `it ${message}. ${suggestion}`);
}

function readVariable(name: string, env: Environment): SecretReading {
  const value = env[name];
  if (value === undefined || value === "") {
    const state = value === undefined ? "is not set" : "is empty";
    return refusal(
      `refers to the environment variable ${name}, which ${state}`,
      `Set ${name} in the environment of the gateway.`,
    );
  }
  return usable(value, `env:${name}`, `the environment variable ${name}`, null);
}

function readSecretFile(name: string, path: string): SecretReading {
  let content: string;
  let mode: number;
  try {
    content = readFileSync(path, "utf8");
    mode = statSync(path).mode;
  } catch (error) {
    const reason = (error as NodeJS.ErrnoException).code ?? "unknown reason";
    return refusal(`refers to the file ${path}, which cannot be read (${reason})`, "Create it, or correct the path.");
  }
  const value = content.replace(/\r?\n$/, "");
  if (value === "") return refusal(`refers to the file ${path}, which is empty`, "Write the key into it.");
  return usable(value, `file:${name}`, `the file ${path}`, readableByOthers(mode, path));
}

function readableByOthers(mode: number, path: string): Complaint | null {
  if (process.platform === "win32" || (mode & 0o077) === 0) return null;
  const bits = (mode & 0o777).toString(8).padStart(4, "0");
  return {
    message: `refers to the file ${path}, which others than its owner can read or write (mode ${bits})`,
    suggestion: `Run: chmod 600 ${path}`,
  };
}

/** A key goes into a header: one line of visible ASCII. */
function usable(value: string, reference: string, holder: string, warning: Complaint | null): SecretReading {
  if (value.length > SECRET_CHARS_MAX || !/^[\x21-\x7e]+$/.test(value)) {
    return refusal(
      `refers to ${holder}, which holds something that cannot be a key`,
      "A key is one line without spaces, at most 16 KiB long.",
    );
  }
  return { ok: true, secret: createSecret(value, reference), warning };
}

function refusal(message: string, suggestion: string): SecretReading {
  return { ok: false, problem: { message, suggestion } };
}
