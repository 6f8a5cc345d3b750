/**
 * Keeps the machine's copy of the control tables up to date: when the database tells of a change, when this process
 * made one, and every second in case nobody tells.
 *
 * Invariant: what `refresh` resolves for was in the shared database when it was called, or later. Calls that come while
 * a copy is being made share the next one.
 */
import type { Kysely } from "kysely";
import type { Clock } from "../../../kernel/clock.ts";
import { repeat } from "../../../kernel/repeat.ts";
import type { Database } from "../../schema.ts";
import { copyChanges } from "./copy.ts";

export interface ReplicaOptions {
  readonly local: Kysely<Database>;
  readonly shared: Kysely<Database>;
  readonly clock: Clock;
  /** After each copy in the background: `null`, or why it could not be made. */
  readonly onAttempt: (failure: unknown) => void;
}

export interface Replica extends AsyncDisposable {
  /** Rejects with `storage_unavailable`. */
  refresh(): Promise<void>;
  /** The same for whom nobody waits. */
  wake(): void;
}

const POLL_MS = 1000;

export function keepReplica({ local, shared, clock, onAttempt }: ReplicaOptions): Replica {
  let running: Promise<void> | null = null;
  let next: Promise<void> | null = null;
  let stopped = false;

  async function copyNext(after: Promise<void> | null): Promise<void> {
    // How the one before ended is told to those who waited for it.
    await after?.catch(() => {});
    next = null;
    if (stopped) return;
    running = copyChanges(shared, local);
    await running;
  }

  function refresh(): Promise<void> {
    next ??= copyNext(running);
    return next;
  }

  async function refreshAndTell(): Promise<void> {
    try {
      await refresh();
      onAttempt(null);
    } catch (error) {
      onAttempt(error);
    }
  }

  const polling = repeat(clock, POLL_MS, refreshAndTell);
  return {
    refresh,
    wake: () => void refreshAndTell(),
    async [Symbol.asyncDispose]() {
      stopped = true;
      await polling[Symbol.asyncDispose]();
      await next?.catch(() => {});
    },
  };
}
