/** What configuration must know of a provider in the catalogue; a `ProviderSpec` is one. */
export interface KnownProvider {
  readonly id: string;
  readonly title: string;
  /** Variables that may hold its key, in order of preference; none: it needs no key. */
  readonly environment: readonly string[];
  /** `null`: everyone has an own address, which must be configured. */
  readonly baseUrl: string | null;
}

/** The providers that stand in by themselves where none is configured. */
export const builtInSimulators: readonly string[] = ["simulator", "simulator-anthropic"];
