/**
 * A binary heap whose members know their places, so that any of them can leave or move in O(log n), not only the first.
 * A member is in one such heap at the most.
 */
import { assert } from "../../kernel/assert.ts";

export interface HeapMember {
  /** Written by the heap alone; -1 while in none. */
  heapPlace: number;
}

export class IndexedHeap<Member extends HeapMember> {
  readonly #members: Member[] = [];
  readonly #isBefore: (one: Member, other: Member) => boolean;

  /** `isBefore`: a strict order. What it reads may change only together with a call of `moved`. */
  constructor(isBefore: (one: Member, other: Member) => boolean) {
    this.#isBefore = isBefore;
  }

  get size(): number {
    return this.#members.length;
  }

  get first(): Member | null {
    return this.#members[0] ?? null;
  }

  add(member: Member): void {
    assert(member.heapPlace < 0, "heap: a member was added twice");
    this.#members.push(member);
    this.#rise(member, this.#members.length - 1);
  }

  /** Changes nothing if it is not in. */
  remove(member: Member): void {
    const place = member.heapPlace;
    if (place < 0) return;
    const last = this.#members.pop();
    member.heapPlace = -1;
    if (last === undefined || last === member) return;
    this.#settle(last, place);
  }

  /** What the order reads of this member has changed. */
  moved(member: Member): void {
    this.#settle(member, member.heapPlace);
  }

  #settle(member: Member, place: number): void {
    const parent = this.#members[(place - 1) >> 1];
    if (place > 0 && parent !== undefined && this.#isBefore(member, parent)) this.#rise(member, place);
    else this.#sink(member, place);
  }

  #rise(member: Member, from: number): void {
    let place = from;
    while (place > 0) {
      const above = (place - 1) >> 1;
      const parent = this.#members[above];
      if (parent === undefined || !this.#isBefore(member, parent)) break;
      this.#put(parent, place);
      place = above;
    }
    this.#put(member, place);
  }

  #sink(member: Member, from: number): void {
    let place = from;
    for (;;) {
      const below = 2 * place + 1;
      const left = this.#members[below];
      if (left === undefined) break;
      const right = this.#members[below + 1];
      const rightFirst = right !== undefined && this.#isBefore(right, left);
      const child = rightFirst ? right : left;
      if (!this.#isBefore(child, member)) break;
      this.#put(child, place);
      place = rightFirst ? below + 1 : below;
    }
    this.#put(member, place);
  }

  #put(member: Member, place: number): void {
    this.#members[place] = member;
    member.heapPlace = place;
  }
}
