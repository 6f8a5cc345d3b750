/**
 * Whose turn it is among the credentials of one provider. A credential is left out of the turns while it is marked: for a
 * minute after the provider refused it, twice as long each time it is refused again after that, and for as long as the
 * provider asks where it limits the rate; a quarter of an hour at the most, since keys are mended and quotas raised. A mark
 * is taken back by a call that was accepted and began after it was made.
 */
import type { CredentialsHealth } from "./health.ts";

const REFUSED_MS = 60_000;
const MARK_MAX_MS = 900_000;
/** For a 429 that does not say how long. */
const LIMITED_MS = 5_000;

interface Mark {
  untilMs: number;
  madeMs: number;
  /** Of the last refusal; 0: it was only limited. */
  refusedForMs: number;
}

export class CredentialTurns implements CredentialsHealth {
  readonly #marks = new Map<string, Mark>();
  #turn = 0;

  next(names: readonly string[], tried: readonly string[], nowMs: number): string | null {
    let best: string | null = null;
    let bestUntilMs = Infinity;
    for (let ahead = 0; ahead < names.length; ahead++) {
      const place = (this.#turn + ahead) % names.length;
      const name = names[place];
      if (name === undefined || tried.includes(name)) continue;
      const untilMs = this.#marks.get(name)?.untilMs ?? -Infinity;
      if (untilMs <= nowMs) {
        this.#turn = place + 1;
        return name;
      }
      if (untilMs >= bestUntilMs) continue;
      best = name;
      bestUntilMs = untilMs;
    }
    return best;
  }

  isMarked(name: string, nowMs: number): boolean {
    return (this.#marks.get(name)?.untilMs ?? -Infinity) > nowMs;
  }

  refused(name: string, nowMs: number): void {
    const mark = this.#mark(name, nowMs);
    // Calls under way together are refused together: that is one refusal.
    if (mark.refusedForMs > 0 && nowMs < mark.untilMs) return;
    mark.refusedForMs = Math.min(MARK_MAX_MS, Math.max(REFUSED_MS, mark.refusedForMs * 2));
    this.#extend(mark, mark.refusedForMs, nowMs);
  }

  limited(name: string, retryAfterMs: number | null, nowMs: number): void {
    this.#extend(this.#mark(name, nowMs), Math.min(MARK_MAX_MS, retryAfterMs ?? LIMITED_MS), nowMs);
  }

  /** Takes all marks back. */
  forget(): void {
    this.#marks.clear();
  }

  accepted(name: string, beganMs: number): void {
    if (this.#marks.size === 0) return;
    const mark = this.#marks.get(name);
    if (mark !== undefined && beganMs >= mark.madeMs) this.#marks.delete(name);
  }

  #mark(name: string, nowMs: number): Mark {
    const known = this.#marks.get(name);
    if (known !== undefined) return known;
    const mark: Mark = { untilMs: -Infinity, madeMs: nowMs, refusedForMs: 0 };
    this.#marks.set(name, mark);
    return mark;
  }

  #extend(mark: Mark, forMs: number, nowMs: number): void {
    mark.untilMs = Math.max(mark.untilMs, nowMs + forMs);
    mark.madeMs = nowMs;
  }
}
