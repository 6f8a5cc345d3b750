import type { Exchange } from "./exchange.ts";

const NONE: readonly string[] = [];

/**
 * The caller's headers that are a part of what it asks for (`InboundCodec.passedHeaders`): they go on to a provider of
 * the same dialect, and requests that differ in them are not the same. Alternating names and values.
 */
export function passedHeaders({ dialect, incoming: { headers } }: PassedFrom): readonly string[] {
  const names = dialect.inbound?.passedHeaders;
  if (names === undefined) return NONE;
  const passed: string[] = [];
  for (const name of names) {
    const value = headers[name];
    if (value !== undefined && value.length > 0) passed.push(name, typeof value === "string" ? value : value.join(","));
  }
  return passed;
}

interface PassedFrom extends Pick<Exchange, "dialect"> {
  readonly incoming: Pick<Exchange["incoming"], "headers">;
}

/** `headers` with `passed` added, each value to one that is there already: all of them are lists. */
export function withPassedHeaders(headers: readonly string[], passed: readonly string[]): readonly string[] {
  if (passed.length === 0) return headers;
  const merged = [...headers];
  for (let index = 0; index + 1 < passed.length; index += 2) {
    const [name = "", value = ""] = passed.slice(index, index + 2);
    const at = merged.findIndex((text, place) => place % 2 === 0 && text === name);
    if (at === -1) merged.push(name, value);
    else merged[at + 1] = `${merged[at + 1] ?? ""},${value}`;
  }
  return merged;
}
