import type { QueueConfig, QueueWaitsConfig } from "../config.ts";
import type { Options } from "./option.ts";
import { numeric } from "./scalars.ts";

const HOUR_MS = 3_600_000;

/** The same two for all providers, for one provider, one alias and one target; the nearest one that is set counts. */
export const queueWaitsOptions: Options<QueueWaitsConfig> = {
  waitMs: numeric("duration", {
    doc: "How long a request may wait for one target, in all its lines and calls together. One that is not expected to be served by then, or by its own deadline, is refused at once with 503.",
    default: 30_000,
    min: 0,
    max: HOUR_MS,
    zero: "never waits: refused as soon as the provider is saturated",
  }),
  batchWaitMs: numeric("duration", {
    doc: "The same for requests of priority `batch`.",
    default: 300_000,
    min: 0,
    max: HOUR_MS,
    zero: "never waits: refused as soon as the provider is saturated",
  }),
};

export const queueOptions: Options<QueueConfig> = {
  lengthMax: numeric("integer", {
    doc: "Most requests of one tenant and priority that wait for one provider or model; a further one is refused with 503.",
    default: 100,
    min: 1,
    max: 100_000,
  }),
  ...queueWaitsOptions,
  batchPercent: numeric("number", {
    doc: "Share of a saturated provider that requests of priority `batch` get while interactive ones wait.",
    default: 10,
    min: 0,
    max: 50,
    zero: "none: they are served only when no interactive request waits",
  }),
  weights: {
    node: "dictionary",
    doc: "Shares of a saturated provider, by tenant: one of weight 3 gets three times what one of weight 1 gets. A tenant that is not named has weight 1.",
    keyName: "<tenant>",
    keyPattern: /^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$/,
    keyDoc: "a name that a tenant can have: letters, digits, `.`, `_` and `-`, at most 63",
    value: numeric("number", { doc: "The tenant's weight.", default: 1, min: 0.01, max: 1000 }),
  },
};
