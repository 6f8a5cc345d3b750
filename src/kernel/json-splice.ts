import type { JsonDocument } from "./json-document.ts";

export interface MemberChange {
  readonly name: string;
  /** JSON text of the new value; `null` removes the member. */
  readonly json: string | null;
}

/**
 * The document's bytes with top-level members replaced, removed or added (at the end, in the order given); every
 * other byte is the caller's. Removing what is absent changes nothing. A name may be changed once per call.
 */
export function spliceMembers(document: JsonDocument, changes: readonly MemberChange[]): Uint8Array {
  const { bytes, members } = document;
  const output = new Pieces(bytes);
  const first = members[0];
  // An empty object is a brace, white space and a brace.
  output.copy(0, first === undefined ? bytes.indexOf(OPEN_BRACE) + 1 : first.keyStart);
  let kept = 0;
  let previousEnd = first === undefined ? 0 : first.keyStart;
  for (const member of members) {
    const change = findChange(changes, member.name);
    if (change === null || change.json !== null) {
      if (kept++ > 0) output.copy(previousEnd, member.keyStart);
      output.copy(member.keyStart, change === null ? member.valueEnd : member.valueStart);
      if (change !== null && change.json !== null) output.write(change.json);
    }
    previousEnd = member.valueEnd;
  }
  for (const change of changes) {
    if (change.json === null || members.some((member) => member.name === change.name)) continue;
    output.write(`${kept++ > 0 ? "," : ""}${JSON.stringify(change.name)}:${change.json}`);
  }
  output.copy(first === undefined ? bytes.indexOf(OPEN_BRACE) + 1 : previousEnd, bytes.length);
  return output.join();
}

const OPEN_BRACE = 0x7b;

function findChange(changes: readonly MemberChange[], name: string): MemberChange | null {
  for (const change of changes) if (change.name === name) return change;
  return null;
}

/** Ranges of the source and new text, in order; neighbouring ranges are copied as one. */
class Pieces {
  readonly #source: Uint8Array;
  readonly #parts: Uint8Array[] = [];
  #start = 0;
  #end = 0;

  constructor(source: Uint8Array) {
    this.#source = source;
  }

  copy(start: number, end: number): void {
    if (start !== this.#end) {
      this.#flush();
      this.#start = start;
    }
    this.#end = end;
  }

  write(text: string): void {
    this.#flush();
    this.#start = this.#end;
    this.#parts.push(Buffer.from(text, "utf8"));
  }

  join(): Uint8Array {
    this.#flush();
    return Buffer.concat(this.#parts);
  }

  #flush(): void {
    if (this.#end > this.#start) this.#parts.push(this.#source.subarray(this.#start, this.#end));
  }
}
