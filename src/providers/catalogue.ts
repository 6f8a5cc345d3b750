/**
 * The provider catalogue: what is known in advance of each kind of provider, so that configuring one takes a key and
 * nothing else. A new provider is a page in `catalogue/` and appears here by the list it stands in.
 */
import { hostSpecs } from "./catalogue/hosts.ts";
import { selfHostedSpecs } from "./catalogue/self-hosted.ts";
import { simulatorSpecs } from "./catalogue/simulator.ts";
import { vendorSpecs } from "./catalogue/vendors.ts";
import type { ProviderSpec } from "./provider.ts";

/** In the order in which they are listed and, found in the environment, configured. */
export const providerSpecs: readonly ProviderSpec[] = [
  ...vendorSpecs,
  ...hostSpecs,
  ...selfHostedSpecs,
  ...simulatorSpecs,
];

const byKind: ReadonlyMap<string, ProviderSpec> = new Map(providerSpecs.map((spec) => [spec.id, spec]));

/** The catalogue's page of a configured `kind`; `null` if there is none. */
export function findProviderSpec(kind: string): ProviderSpec | null {
  return byKind.get(kind) ?? null;
}
