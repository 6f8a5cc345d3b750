/**
 * Puts the deltas of tool calls together. A call starts once its name is known; arguments that came before are kept
 * until then. Deltas find their call by `index`; where a server leaves it out, or numbers every call 0 (as some
 * compatible servers do, each whole in one delta), a new id with a name begins a new call, and a delta without an id
 * belongs to the last one.
 */
import type { CanonicalEvent } from "../../canonical.ts";
import { asCount, asObject, asText, type WireObject } from "../../wire-values.ts";
import { readArguments } from "./wire-content.ts";

interface Call {
  id: string;
  name: string;
  /** Canonical index; -1 until it has started. */
  index: number;
  /** Arguments that came before the name. */
  held: string;
  argumentsSeen: boolean;
}

export class ToolCallAssembler {
  readonly #inventId: (position: number) => string;
  readonly #calls: Call[] = [];
  readonly #byWireIndex = new Map<number, Call>();

  /** `inventId` names a call whose server gave no id. */
  constructor(inventId: (position: number) => string) {
    this.#inventId = inventId;
  }

  /** `nextIndex` is the next free canonical index; returns the next one after it. */
  decode(delta: WireObject, nextIndex: number, said: CanonicalEvent[]): number {
    const wire = asObject(delta["function"]);
    const id = asText(delta["id"]) ?? "";
    const name = asText(wire?.["name"]) ?? "";
    const call = this.#find(asCount(delta["index"]), id, name);
    if (call.id === "") call.id = id;
    if (call.name === "") call.name = name;
    const args = readArguments(wire?.["arguments"]);
    if (call.index >= 0) {
      this.#sayArguments(call, args, said);
      return nextIndex;
    }
    call.held += args;
    if (call.name === "") return nextIndex;
    call.index = nextIndex;
    const callId = call.id === "" ? this.#inventId(this.#calls.indexOf(call)) : call.id;
    said.push({ type: "item-start", index: nextIndex, item: { kind: "tool-call", callId, name: call.name } });
    this.#sayArguments(call, call.held, said);
    call.held = "";
    return nextIndex + 1;
  }

  /** Ends every call. One without arguments has the empty object. */
  end(said: CanonicalEvent[]): void {
    for (const call of this.#calls) {
      if (call.index < 0) continue;
      if (!call.argumentsSeen) this.#sayArguments(call, "{}", said);
      said.push({ type: "item-end", index: call.index });
    }
    this.#calls.length = 0;
    this.#byWireIndex.clear();
  }

  #find(wireIndex: number | null, id: string, name: string): Call {
    const known = wireIndex === null ? this.#calls.at(-1) : this.#byWireIndex.get(wireIndex);
    const isNew = known === undefined || (name !== "" && id !== "" && known.id !== "" && known.id !== id);
    if (!isNew) return known;
    const call: Call = { id: "", name: "", index: -1, held: "", argumentsSeen: false };
    this.#calls.push(call);
    if (wireIndex !== null) this.#byWireIndex.set(wireIndex, call);
    return call;
  }

  #sayArguments(call: Call, text: string, said: CanonicalEvent[]): void {
    if (text === "") return;
    call.argumentsSeen = true;
    said.push({ type: "arguments-delta", index: call.index, text });
  }
}
