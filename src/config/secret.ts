/**
 * Secrets. A resolved one is an object that gives its value to `reveal()` alone: string conversion, JSON and
 * inspection show `[secret]`, so that a log line or an error that holds one by accident shows nothing.
 */
import { inspect } from "node:util";
import type { Secret } from "./config.ts";

const MASK = "[secret]";

/** `reference` says where it came from: `env:OPENAI_API_KEY`, `file:keys/openai`. */
export function createSecret(value: string, reference: string): Secret {
  return new ResolvedSecret(value, reference);
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
