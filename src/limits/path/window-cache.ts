import type { Allowance } from "../allowance.ts";
import { type WindowSpan, windowAt } from "../../storage/escrow/calendar.ts";
import { regimeOf } from "../allowance.ts";

/** Rates and slots have no calendar windows, nor has a lifetime. */
const always: AccountWindow = { startMs: 0, endMs: null };

/** `endMs` is exclusive; `null`: never. */
export interface AccountWindow {
  readonly startMs: number;
  readonly endMs: number | null;
}

/** The windows of now, kept until they end: to find one in the calendar takes many times as long as a request may. */
export class WindowCache {
  readonly #spans = new Map<string, WindowSpan>();

  /** Of the allowance's accounts at the bank's time `atMs`. */
  windowOf({ meter, window, timeZone }: Allowance, atMs: number): AccountWindow {
    if (window === "lifetime" || regimeOf(meter, window) !== "budget") return always;
    const key = `${window} ${timeZone}`;
    const known = this.#spans.get(key);
    if (known !== undefined && known.startMs <= atMs && atMs < known.endMs) return known;
    const span = windowAt(window, timeZone, atMs);
    this.#spans.set(key, span);
    return span;
  }
}
