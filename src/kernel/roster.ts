/**
 * The things under way, in no order, added and removed by the thousand every second. A `Set` would do but for V8: when
 * its table grows or shrinks the old table keeps its entries and a link to the new one, so one table that has become
 * old holds every later one, and all that was ever in them, until the next full collection. Measured on the request
 * path, that alone cost a tenth of the CPU. Here a member knows its own place, and the last one takes the place of
 * the one that leaves.
 */
export interface RosterMember {
  /** Written by the roster alone; -1 while in none. A member is in one roster at the most. */
  rosterPlace: number;
}

export class Roster<Member extends RosterMember> {
  readonly #members: Member[] = [];

  get size(): number {
    return this.#members.length;
  }

  add(member: Member): void {
    if (member.rosterPlace >= 0) return;
    member.rosterPlace = this.#members.length;
    this.#members.push(member);
  }

  delete(member: Member): void {
    const place = member.rosterPlace;
    if (place < 0) return;
    const last = this.#members.pop();
    member.rosterPlace = -1;
    if (last === undefined || last === member) return;
    this.#members[place] = last;
    last.rosterPlace = place;
  }

  /** A copy: members may leave while it is walked. */
  members(): readonly Member[] {
    return [...this.#members];
  }
}
