/** Sums of many seeds, and how they and failures are shown. */
import { Counts } from "./counts.ts";
import type { SeedResult, Simulation } from "./simulation.ts";

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

/** What failed, what happened last, and how to see it again. Empty if all invariants hold. */
export function renderFailure(
  { command, invariants }: Pick<Simulation, "command" | "invariants">,
  { seed, failure }: SeedResult,
): string {
  if (failure === null) return "";
  return [
    ...failure.recent,
    "",
    `Seed ${seed} breaks an invariant: ${invariants[failure.invariant]}.`,
    failure.detail,
    `Run it again with every event: ${command} -- --seed ${seed} --trace`,
    "",
  ].join("\n");
}
