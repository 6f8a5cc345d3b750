/** Placeholder for the owner of the price book: the boundary that the exchange relies on. */
import type { NanoUsd } from "../kernel/money.ts";
import type { Usage } from "../kernel/usage.ts";

export interface Price {
  /** Names the exact rates used, e.g. `catalogue-2026-11-21/openai/gpt-5-mini`; stored with every ledger entry. */
  readonly version: string;
  /** Exact cost, tiers and long-context rates applied by the usage itself. */
  cost(usage: Usage): NanoUsd;
}

export interface PriceBook {
  /** The price of a model at a provider on a date; `null` if there is none. `free` providers have a zero price, with a version. */
  find(provider: string, model: string, serviceTier: string | null, atMs: number): Price | null;
}
