/**
 * Secrets. A resolved one is an object that gives its value to `reveal()` alone: string conversion, JSON and
 * inspection show `[secret]`, so that a log line or an error that holds one by accident shows nothing.
 */
import { inspect } from "node:util";
import { HeadgateError } from "../kernel/errors.ts";
import type { Secret } from "./config.ts";

const MASK = "[secret]";

/** `reference` says where it came from: `env:OPENAI_API_KEY`, `file:keys/openai`. */
export function createSecret(value: string, reference: string): Secret {
  return new ResolvedSecret(value, reference);
}

/**
 * For who never uses it: a secret that could not be read, known by its reference alone. `reveal` throws
 * `upstream_credentials`, saying why it could not.
 */
export function createMissingSecret(reference: string, reason: string): Secret {
  return new MissingSecret(reference, reason);
}

class ResolvedSecret implements Secret {
  readonly reference: string;
  readonly #value: string;

  constructor(value: string, reference: string) {
    this.#value = value;
    this.reference = reference;
  }

  reveal(): string {
    return this.#value;
  }

  toString(): string {
    return MASK;
  }

  toJSON(): string {
    return MASK;
  }

  [inspect.custom](): string {
    return MASK;
  }
}

class MissingSecret implements Secret {
  readonly reference: string;
  readonly #reason: string;

  constructor(reference: string, reason: string) {
    this.reference = reference;
    this.#reason = reason;
  }

  reveal(): never {
    throw new HeadgateError(
      "upstream_credentials",
      `The secret ${this.reference} is needed and not there: ${this.#reason}`,
    );
  }
}
