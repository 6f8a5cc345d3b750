/** What the configuration says about calls, worked out once more from it. */
import type { CommitConfig, Config, RetriesConfig, TimeoutsConfig } from "../../../src/config/config.ts";
import type { Request } from "../callers/request.ts";

/** Until when the route of a request holds its answer back. */
export function commitPointOf({ ask }: Request, { models }: Config): CommitConfig["at"] {
  return models[ask.model]?.commit.at ?? "first-output";
}

/** How calls of the request's model are made again. */
export function retriesOf({ ask }: Request, { retries, models }: Config): RetriesConfig {
  return { ...retries, ...models[ask.model]?.retries };
}

/** Of calls for what is asked for, at a provider: what is said nearest to the call counts. */
export function timeoutsOf(config: Config, asked: string, target: string): TimeoutsConfig {
  const [provider = ""] = target.split("/");
  const alias = config.models[asked];
  const own = [...(alias?.targets ?? []), ...(alias?.fallbacks ?? [])].find(({ model }) => model === target);
  return { ...config.timeouts, ...config.providers[provider]?.timeouts, ...alias?.timeouts, ...own?.timeouts };
}

/** `provider/model` of all that may serve what is asked for. */
export function targetsOf(config: Config, asked: string): readonly string[] {
  const alias = config.models[asked];
  if (alias === undefined) return [asked];
  return [...alias.targets, ...alias.fallbacks].map(({ model }) => model);
}

/** The longest that a request may take in all: as long as the most patient target that it is served by; at least, and at most. */
export function totalMsOf(config: Config, asked: string): { readonly least: number; readonly most: number } {
  const all = targetsOf(config, asked).map((target) => timeoutsOf(config, asked, target).totalMs);
  return { least: Math.min(...all), most: Math.max(...all) };
}
