/** Sums of many seeds, and how they and failures are shown. */
import { invariants } from "./checks/violation.ts";
import { Counts } from "./gateway/counts.ts";
import type { SeedFailure, SeedResult } from "./run-seed.ts";

export class Tally {
  readonly counts: Counts = new Counts();
  seeds = 0;
  events = 0;

  add({ counts, events }: SeedResult): void {
    this.seeds++;
    this.events += events;
    this.counts.addAll(counts);
  }

  /** `seconds`: how long they took. */
  render(seconds: number): string {
    const speed = `${(this.seeds / seconds).toFixed(1)} seeds a second`;
    const rows = this.counts.entries().map(([what, count]) => `  ${String(count).padStart(9)}  ${what}\n`);
    return `${this.seeds} seeds, ${this.events} events in ${seconds.toFixed(1)} s, ${speed}\n${rows.join("")}`;
  }
}

/** What failed, what happened last, and how to see it again. */
export function renderFailure(seed: number, { invariant, detail, recent }: SeedFailure): string {
  return [
    ...recent,
    "",
    `Seed ${seed} breaks an invariant: ${invariants[invariant]}.`,
    detail,
    `Run it again with every event: npm run simulate -- --seed ${seed} --trace`,
    "",
  ].join("\n");
}
