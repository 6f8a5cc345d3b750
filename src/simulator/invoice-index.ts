/**
 * Finds the lines of one full block of the invoice by request number or by the caller's own id, so that the simulator
 * can be asked about every line it keeps. Made when the block is first searched: writing lines costs nothing for it.
 *
 * Ids of callers: a hash table of offsets with linear probing, twice as many slots as lines, two bytes each; equal ids
 * share a slot, which names the newest line. Numbers nearly rise with the lines, so that the range of a block excludes
 * all but a few blocks, and those are searched.
 */
import { hashText } from "./answer/random.ts";

export interface BlockIndex {
  /** The newest line with this id of the caller's; -1 if there is none. */
  offsetOfClientId(id: string): number;
  /** -1 if there is none. */
  offsetOfNumber(number: number): number;
}

/** At most 32,768 lines. */
export function createBlockIndex(numbers: Float64Array, clientIds: readonly (string | null)[]): BlockIndex {
  const slots = createSlots(clientIds);
  let least = Infinity;
  let most = -Infinity;
  for (const number of numbers) {
    if (number < least) least = number;
    if (number > most) most = number;
  }
  return {
    offsetOfClientId: (id) => (slots[findSlot(slots, clientIds, id)] ?? 0) - 1,
    offsetOfNumber: (number) => (number >= least && number <= most ? numbers.lastIndexOf(number) : -1),
  };
}

/** Each holds an offset plus one; 0 is free. */
function createSlots(clientIds: readonly (string | null)[]): Uint16Array {
  let size = 2;
  while (size < clientIds.length * 2) size *= 2;
  const slots = new Uint16Array(size);
  clientIds.forEach((id, offset) => {
    if (id !== null) slots[findSlot(slots, clientIds, id)] = offset + 1;
  });
  return slots;
}

/** The slot of this id, or the free one where it would be. */
function findSlot(slots: Uint16Array, clientIds: readonly (string | null)[], id: string): number {
  const mask = slots.length - 1;
  let slot = hashText(id) & mask;
  for (;;) {
    const entry = slots[slot] ?? 0;
    if (entry === 0 || clientIds[entry - 1] === id) return slot;
    slot = (slot + 1) & mask;
  }
}
