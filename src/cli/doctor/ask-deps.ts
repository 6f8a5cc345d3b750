import type { Clock } from "../../kernel/clock.ts";
import type { Transport } from "../../providers/transport.ts";

/** What a check needs that asks over the network. */
export interface AskDeps {
  readonly transport: Transport;
  readonly clock: Clock;
}
