import type { StoreEvents } from "../storage.ts";

/** Whether the shared database can be reached, told when it changes. */
export interface SharedNews {
  readonly lost: boolean;
  /** `null`: it was reached. */
  tell(failure: unknown): void;
}

export function createSharedNews(events: Partial<StoreEvents>): SharedNews {
  let lost = false;
  return {
    get lost() {
      return lost;
    },
    tell(failure) {
      const isLost = failure !== null;
      if (isLost === lost) return;
      lost = isLost;
      events.sharedDatabase?.(lost ? "lost" : "back", failure);
    },
  };
}
