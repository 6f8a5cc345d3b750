/**
 * What lies between the processes and the bank: messages are late, lost, repeated and overtake one another. Whoever
 * sends one never learns what became of it; that is what answers and time limits are for.
 */
import type { Agenda } from "./agenda.ts";
import type { Random } from "./random.ts";

export interface NetworkFaults {
  readonly delayMsMin: number;
  readonly delayMsMax: number;
  /** Of a message to be held up for up to `stallMsMax`. */
  readonly stallChance: number;
  readonly stallMsMax: number;
  readonly lossChance: number;
  readonly repeatChance: number;
}

/** One process's way to the bank and back. */
export interface Link {
  cut: boolean;
}

export interface NetworkCounts {
  sent: number;
  lost: number;
  repeated: number;
}

export class Network {
  readonly counts: NetworkCounts = { sent: 0, lost: 0, repeated: 0 };
  /** Nobody reaches the bank, nor does the bank reach anybody. */
  down = false;
  readonly #agenda: Agenda;
  readonly #random: Random;
  #faults: NetworkFaults;

  constructor(agenda: Agenda, random: Random, faults: NetworkFaults) {
    this.#agenda = agenda;
    this.#random = random;
    this.#faults = faults;
  }

  send(link: Link, arrive: () => void): void {
    this.counts.sent++;
    const random = this.#random;
    const repeats = random.chance(this.#faults.repeatChance);
    if (repeats) this.counts.repeated++;
    this.#carry(link, arrive);
    if (repeats) this.#carry(link, arrive);
  }

  /** From now on every message arrives, once and soon. */
  heal(): void {
    const { delayMsMin, delayMsMax } = this.#faults;
    this.down = false;
    this.#faults = { delayMsMin, delayMsMax, stallChance: 0, stallMsMax: 0, lossChance: 0, repeatChance: 0 };
  }

  #carry(link: Link, arrive: () => void): void {
    const random = this.#random;
    const faults = this.#faults;
    const isLost = random.chance(faults.lossChance);
    const spread = faults.delayMsMax - faults.delayMsMin;
    const stallMs = random.chance(faults.stallChance) ? random.unit() * faults.stallMsMax : 0;
    const delayMs = faults.delayMsMin + random.unit() * spread + stallMs;
    if (isLost || link.cut || this.down) {
      this.counts.lost++;
      return;
    }
    this.#agenda.after(delayMs, () => {
      if (link.cut || this.down) this.counts.lost++;
      else arrive();
    });
  }
}
