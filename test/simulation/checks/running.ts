/** How many requests run at the same time, and have run at the most, by whatever counts them. */
export class Running<Request> {
  readonly #keys = new Map<Request, readonly string[]>();
  readonly #now = new Map<string, number>();
  readonly #peaks = new Map<string, number>();

  now(key: string): number {
    return this.#now.get(key) ?? 0;
  }

  peak(key: string): number {
    return this.#peaks.get(key) ?? 0;
  }

  began(request: Request, keys: readonly string[]): void {
    this.#keys.set(request, keys);
    for (const key of keys) {
      const now = this.now(key) + 1;
      this.#now.set(key, now);
      this.#peaks.set(key, Math.max(now, this.peak(key)));
    }
  }

  /** Of one that never began, or has ended already, it changes nothing. */
  ended(request: Request): void {
    for (const key of this.#keys.get(request) ?? []) this.#now.set(key, this.now(key) - 1);
    this.#keys.delete(request);
  }

  endAll(isMeant: (request: Request) => boolean): void {
    for (const request of this.#keys.keys()) if (isMeant(request)) this.ended(request);
  }
}
