/** What a simulation is to whoever runs its seeds: worlds that are made from a number, and invariants that hold in them. */
import type { CountEntries } from "./counts.ts";

export interface Simulation {
  /** How it is run, e.g. `npm run simulate`. */
  readonly command: string;
  /** By name: the sentence that a failing run prints. */
  readonly invariants: Readonly<Record<string, string>>;
  /** Of its own: `worker` runs the seeds that it is sent, `seek` as many as it is told until one fails. */
  readonly programs: { readonly worker: URL; readonly seek: URL };
  /** `tell` is given every line of the trace. */
  runSeed(seed: number, tell: ((line: string) => void) | null): Promise<SeedResult>;
}

export interface SeedResult {
  readonly seed: number;
  readonly counts: CountEntries;
  readonly events: number;
  /** Equal for equal runs. */
  readonly digest: string;
  readonly failure: SeedFailure | null;
}

export interface SeedFailure {
  /** One of the names of `invariants`. */
  readonly invariant: string;
  readonly detail: string;
  readonly recent: readonly string[];
}
