/**
 * Sends the planned requests at bounded concurrency, and at planned requests kills the gateway, restarts it, or runs
 * a reconciliation beside it. Kills come in the middle of whatever the other callers are doing.
 */
import { Agent } from "node:http";
import { Random } from "../../../src/simulator/answer/random.ts";
import { callGateway, type Outcome } from "../caller.ts";
import { runReconcileCommand } from "../children.ts";
import type { GatewayUnderLoad } from "./gateway-under-load.ts";
import { planRequest } from "./mix.ts";
import type { SoakPlace } from "./place.ts";

export interface LoadOptions {
  readonly requests: number;
  readonly kills: number;
  readonly seed: number;
  readonly concurrency: number;
}

export interface LoadEvents {
  /** After every so many requests. */
  readonly progress: (done: number) => void;
}

const PROGRESS_EVERY = 500;
/** A gateway takes about this long to start; a second kill strikes somewhere in it. */
const START_MS = 400;

/** Resolves when every request has ended and the gateway is up. */
export async function applyLoad(
  place: SoakPlace,
  gateway: GatewayUnderLoad,
  options: LoadOptions,
  events: LoadEvents,
): Promise<readonly Outcome[]> {
  const agent = new Agent({ keepAlive: true, maxSockets: options.concurrency });
  const incidents = planIncidents(options);
  const outcomes: Outcome[] = [];
  let next = 0;

  async function call(): Promise<void> {
    for (;;) {
      await gateway.up;
      const index = next++;
      if (index >= options.requests) return;
      const incident = incidents.get(index);
      const answered = callGateway(gateway.url, agent, planRequest(place, options.seed, index));
      if (incident !== undefined) await cause(place, gateway, incident);
      outcomes.push(await answered);
      if (outcomes.length % PROGRESS_EVERY === 0) events.progress(outcomes.length);
    }
  }

  try {
    await Promise.all(Array.from({ length: options.concurrency }, call));
  } finally {
    agent.destroy();
  }
  return outcomes;
}

type Incident =
  | { readonly kind: "kill"; readonly againAfterMs: number | null }
  | { readonly kind: "restart" }
  | { readonly kind: "reconcile" };

function cause(place: SoakPlace, gateway: GatewayUnderLoad, incident: Incident): Promise<void> {
  switch (incident.kind) {
    case "kill":
      return gateway.kill(incident.againAfterMs);
    case "restart":
      return gateway.restart();
    case "reconcile":
      return runReconcileCommand(place, "sim");
  }
}

/** By the number of the request at which it comes: kills spread over the run, one restart, one reconciliation. */
function planIncidents({ requests, kills, seed }: LoadOptions): ReadonlyMap<number, Incident> {
  const random = new Random(seed);
  const incidents = new Map<number, Incident>();
  const at = (share: number): number => Math.floor(requests * share);
  for (let kill = 0; kill < kills; kill++) {
    const share = (kill + 0.3 + 0.4 * random.next()) / (kills + 1);
    // Every other kill is followed by one in the start of the next process, while it recovers.
    incidents.set(at(share), { kind: "kill", againAfterMs: kill % 2 === 0 ? null : random.below(START_MS) });
  }
  incidents.set(at(1 - 0.6 / (kills + 1)), { kind: "restart" });
  incidents.set(at(0.9 / (kills + 1)), { kind: "reconcile" });
  return incidents;
}
