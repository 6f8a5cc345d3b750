/** What happened in a world, in order. Equal traces mean equal runs. */
import { createHash, type Hash } from "node:crypto";
import type { Agenda } from "./agenda.ts";

const RECENT = 60;

export class Trace {
  readonly #agenda: Agenda;
  readonly #tell: ((line: string) => void) | null;
  readonly #hash: Hash = createHash("sha256");
  readonly #recent: string[] = [];
  #lines = 0;

  /** `tell` is given every line at once. */
  constructor(agenda: Agenda, tell: ((line: string) => void) | null) {
    this.#agenda = agenda;
    this.#tell = tell;
  }

  get lines(): number {
    return this.#lines;
  }

  note(who: string, what: string): void {
    const line = `${(this.#agenda.nowMs / 1000).toFixed(6).padStart(12)}  ${who.padEnd(8)} ${what}`;
    this.#lines++;
    this.#hash.update(line);
    this.#recent[this.#lines % RECENT] = line;
    this.#tell?.(line);
  }

  /** The last lines, oldest first. */
  recent(): readonly string[] {
    const start = (this.#lines + 1) % RECENT;
    return [...this.#recent.slice(start), ...this.#recent.slice(0, start)].filter((line) => line !== undefined);
  }

  digest(): string {
    return this.#hash.copy().digest("hex");
  }
}
