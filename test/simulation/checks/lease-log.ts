/** What a process knows of its leases: until when by its own clock, and whether it has been told that it is fenced. */
export class LeaseLog {
  readonly #untilMs = new Map<string, number>();
  readonly #fenced = new Set<string>();

  /** The bank has answered. `askedAtMs`: by the process's monotonic clock, when it asked. */
  answered(ownerId: string, alive: boolean, askedAtMs: number, leaseMs: number): void {
    if (!alive) this.fenced(ownerId);
    else this.#untilMs.set(ownerId, Math.max(this.#untilMs.get(ownerId) ?? 0, askedAtMs + leaseMs));
  }

  fenced(ownerId: string): void {
    this.#fenced.add(ownerId);
  }

  /** Whether the bank has ever answered: before, a process knows no time but its own. */
  get isAcquainted(): boolean {
    return this.#untilMs.size > 0;
  }

  /** Why nothing may be held under this owner any more; `null` if it may. */
  objection(ownerId: string, monotonicMs: number): string | null {
    if (this.#fenced.has(ownerId)) return `${ownerId} is known to be fenced`;
    const untilMs = this.#untilMs.get(ownerId);
    if (untilMs === undefined) return `${ownerId} was never registered`;
    return monotonicMs > untilMs ? `the lease of ${ownerId} was over ${monotonicMs - untilMs} ms ago` : null;
  }
}
