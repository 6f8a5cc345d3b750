/** Lists and maps in text columns. What stands there was written by these functions' counterparts, so its type is known. */
import type { HeldAmount } from "./escrow/bank.ts";
import type { TrailStep } from "./records.ts";

/** An empty list allows nothing, so only `null` becomes `null`. */
export function encodeModelAllowList(patterns: readonly string[] | null): string | null {
  return patterns === null ? null : JSON.stringify(patterns);
}

export function parseModelAllowList(text: string | null): readonly string[] | null {
  return text === null ? null : (JSON.parse(text) as readonly string[]);
}

export function encodeMetadata(metadata: Readonly<Record<string, string>>): string | null {
  return Object.keys(metadata).length === 0 ? null : JSON.stringify(metadata);
}

export function parseMetadata(text: string | null): Readonly<Record<string, string>> {
  return text === null ? {} : (JSON.parse(text) as Readonly<Record<string, string>>);
}

export function parseLosses(text: string | null): readonly string[] {
  return text === null ? [] : (JSON.parse(text) as readonly string[]);
}

export function parseTrail(text: string | null): readonly TrailStep[] {
  return text === null ? [] : (JSON.parse(text) as readonly TrailStep[]);
}

/**
 * A list for each owner: its id, then accounts and amounts in turn. On the request path and in each hold, so it is short:
 * nearly always there is one owner.
 */
export function encodeHeldAmounts(held: readonly HeldAmount[]): string | null {
  if (held.length === 0) return null;
  const lists: string[][] = [];
  let list: string[] = [];
  for (const { ownerId, accountId, amount } of held) {
    if (list[0] !== ownerId) lists.push((list = [ownerId]));
    list.push(accountId, amount.toString());
  }
  return JSON.stringify(lists);
}

export function parseHeldAmounts(text: string | null): readonly HeldAmount[] {
  if (text === null) return [];
  const held: HeldAmount[] = [];
  for (const [ownerId = "", ...pairs] of JSON.parse(text) as readonly (readonly string[])[]) {
    for (let at = 0; at + 1 < pairs.length; at += 2) {
      held.push({ ownerId, accountId: pairs[at] ?? "", amount: BigInt(pairs[at + 1] ?? "0") });
    }
  }
  return held;
}
