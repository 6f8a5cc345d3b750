/** What a gateway's process is made of while nobody asks for anything, measured inside of it and told to the soak. */
import { readdirSync } from "node:fs";
import { setImmediate as nextTurn } from "node:timers/promises";
import type { Gateway, GatewayStanding } from "../../../src/gateway.ts";
import type { CountingClock } from "./counting-clock.ts";

export interface Vitals {
  /** After collection: objects, and the memory outside of the heap that they own. */
  readonly heapBytes: number;
  readonly rssBytes: number;
  /** Open files and sockets; 0 where the system does not tell. */
  readonly descriptors: number;
  /** What keeps the event loop alive, whatever its kind. */
  readonly handles: number;
  /** Timers of the gateway that have neither fired nor been cancelled. */
  readonly timers: number;
  /** In the journal. */
  readonly holds: number;
  readonly standing: GatewayStanding;
}

/** What is under way, by name; empty: nothing. */
export function underWay({ standing, holds }: Pick<Vitals, "standing" | "holds">): readonly string[] {
  const { requests, queues, targets } = standing;
  return [
    ...(requests > 0 ? [`${requests} requests`] : []),
    ...queues
      .filter(({ running, waitingInteractive, waitingBatch }) => running + waitingInteractive + waitingBatch > 0)
      .map(({ target, running, waitingInteractive, waitingBatch }) => {
        return `${running} passes of ${target}, ${waitingInteractive + waitingBatch} in its queue`;
      }),
    ...targets
      .filter(({ underWay: calls }) => calls > 0)
      .map(({ name, underWay: calls }) => `${calls} calls of ${name}`),
    ...(holds > 0 ? [`${holds} holds`] : []),
  ];
}

/** Needs `--expose-gc`. */
export async function takeVitals(gateway: Gateway, clock: CountingClock): Promise<Vitals> {
  const { gc } = globalThis;
  if (gc === undefined) throw new Error("The gateway of a steady soak runs with --expose-gc.");
  for (let pass = 0; pass < COLLECTIONS; pass++) {
    await gc({ execution: "async" });
    await nextTurn();
  }
  const { heapUsed, external, rss } = process.memoryUsage();
  return {
    heapBytes: heapUsed + external,
    rssBytes: rss,
    descriptors: countDescriptors(),
    handles: process.getActiveResourcesInfo().length,
    timers: clock.pendingTimers,
    holds: await countHolds(gateway),
    standing: gateway.standing(),
  };
}

/** The first lets finalizers run, which free what the second collects. */
const COLLECTIONS = 2;

async function countHolds({ store }: Gateway): Promise<number> {
  const { holds } = await store.db
    .selectFrom("holds")
    .select((select) => select.fn.countAll<number>().as("holds"))
    .executeTakeFirstOrThrow();
  return Number(holds);
}

/** Linux lists them: https://man7.org/linux/man-pages/man5/proc_pid_fd.5.html */
function countDescriptors(): number {
  try {
    return readdirSync("/proc/self/fd").length;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return 0;
    throw error;
  }
}
