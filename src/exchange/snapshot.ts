import type { PriceBook } from "../accounting/price-book.ts";
import type { Config } from "../config/config.ts";
import type { Endpoint } from "../providers/endpoint.ts";
import type { Router } from "../routing/plan.ts";

/** Everything that configuration decides, built and checked as a whole. An exchange keeps the one it began with. */
export interface Snapshot {
  readonly config: Config;
  readonly router: Router;
  readonly prices: PriceBook;
  /** By provider name. */
  readonly endpoints: ReadonlyMap<string, Endpoint>;
}
