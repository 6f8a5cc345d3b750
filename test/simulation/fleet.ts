/** The places of a world and the processes that live there: their traffic, and what befalls them. */
import { Gateway } from "./gateway/gateway.ts";
import type { Place, Setting } from "./gateway/setting.ts";
import { Journal } from "./model/journal.ts";
import { drawRequest } from "./scenario/requests.ts";
import type { PlannedMishap } from "./scenario/scenario.ts";

/** A process that has ended is started again after this long, at the most. */
const RESTART_MS_MAX = 3_000;
const PROBES = 3;
const RESTART_ROUND_MS = 200;
/** Requests of one burst begin within. */
const BURST_MS = 20;
const JUMP_MS_MAX = 7_200_000;

interface Slot {
  readonly place: Place;
  gateway: Gateway;
}

export class Fleet {
  readonly #setting: Setting;
  readonly #slots: readonly Slot[];
  readonly #lostInstances = new Set<string>();
  #healed = false;

  constructor(setting: Setting) {
    const { scenario, random } = setting;
    const machine = new Journal();
    this.#setting = setting;
    this.#slots = Array.from({ length: scenario.processes }, (_, index) => {
      const place: Place = {
        name: `gateway-${index}`,
        journal: scenario.store === "file" ? machine : new Journal(),
        link: { cut: false },
        clock: {
          skewMs: (random.unit() * 2 - 1) * scenario.skewMsMax,
          rate: 1 + (random.unit() * 2 - 1) * scenario.drift,
        },
        lost: false,
      };
      return { place, gateway: new Gateway(setting, place) };
    });
  }

  start(): void {
    for (const { gateway } of this.#slots) gateway.start();
    for (const slot of this.#slots) this.#planBurst(slot);
  }

  /** What control tables say has changed: processes hear of it soon, or when they next ask. */
  announceChange(): void {
    const { network, scenario } = this.#setting;
    for (const { gateway, place } of this.#slots) {
      if (scenario.store === "file") gateway.life.run(() => gateway.refresh());
      else network.send(place.link, () => gateway.life.run(() => gateway.refresh()));
    }
  }

  suffer(mishap: PlannedMishap): void {
    const { random, trace, counts } = this.#setting;
    const slot = random.pick(this.#slots);
    if (this.#healed || slot.place.lost) return;
    trace.note(slot.place.name, `suffers ${mishap.kind} for ${Math.round(mishap.lastsMs)} ms`);
    counts.add(`mishaps: ${mishap.kind}`);
    this.#befall(slot, mishap);
  }

  /** No more traffic, no more mishaps; whoever can live lives. */
  heal(): void {
    this.#healed = true;
    for (const slot of this.#slots) {
      slot.place.link.cut = false;
      slot.gateway.life.resume();
      if (slot.gateway.life.dead) this.#restart(slot);
    }
  }

  /** A few requests to every process, to see that it serves. */
  probe(): void {
    const { random } = this.#setting;
    for (const { gateway } of this.#slots) {
      for (let index = 0; index < PROBES; index++) gateway.serve(drawRequest(random));
    }
  }

  stop(): void {
    for (const { gateway } of this.#slots) gateway.stop();
  }

  /** No request is open, nothing is on its way, nothing dead is left to be recovered. */
  get settled(): boolean {
    return this.#slots.every(({ gateway, place }) => {
      if (place.lost) return true;
      const { outbox, deadInstances } = place.journal;
      return gateway.openRequests === 0 && outbox.size === 0 && deadInstances.length === 0;
    });
  }

  /** Its machine is gone for good. */
  isLost(instanceId: string): boolean {
    return this.#lostInstances.has(instanceId);
  }

  get stopped(): boolean {
    return this.#slots.every(({ gateway }) => gateway.life.dead);
  }

  #befall(slot: Slot, { kind, lastsMs }: PlannedMishap): void {
    const { agenda, network, random } = this.#setting;
    const { place, gateway } = slot;
    switch (kind) {
      case "loss":
        this.#lose(slot);
        break;
      case "crash":
        gateway.crash();
        agenda.after(random.unit() * RESTART_MS_MAX, () => this.#restart(slot));
        break;
      case "restart":
        gateway.stop();
        agenda.after(lastsMs, () => this.#restartOnceDead(slot));
        break;
      case "pause":
      case "suspend":
        gateway.life.pause(kind === "suspend");
        agenda.after(lastsMs, () => gateway.life.resume());
        break;
      case "cut":
        place.link.cut = true;
        agenda.after(lastsMs, () => (place.link.cut = false));
        break;
      case "outage":
        network.down = true;
        agenda.after(lastsMs, () => (network.down = false));
        break;
      case "jump":
        place.clock.skewMs += (random.unit() * 2 - 1) * JUMP_MS_MAX;
        break;
      case "bank-jump":
      case "operator":
        throw new RangeError(`${kind} befalls no process.`);
    }
  }

  /** A file that is lost takes the bank with it: nothing is left to be judged. */
  #lose({ place, gateway }: Slot): void {
    if (this.#setting.scenario.store === "file") return;
    place.lost = true;
    gateway.crash();
    for (const instanceId of place.journal.deadInstances) this.#lostInstances.add(instanceId);
  }

  #restart(slot: Slot): void {
    if (!slot.gateway.life.dead || slot.place.lost) return;
    slot.gateway = new Gateway(this.#setting, slot.place);
    slot.gateway.start();
  }

  #restartOnceDead(slot: Slot): void {
    if (slot.gateway.life.dead) this.#restart(slot);
    else this.#setting.agenda.after(RESTART_ROUND_MS, () => this.#restartOnceDead(slot));
  }

  #planBurst(slot: Slot): void {
    const { agenda, random, scenario } = this.#setting;
    agenda.after(random.skewed(1, 2 * scenario.burstGapMs), () => {
      if (this.#healed) return;
      const count = random.between(1, scenario.burstMax);
      for (let index = 0; index < count; index++) {
        const plan = drawRequest(random);
        agenda.after(random.unit() * BURST_MS, () => slot.gateway.serve(plan));
      }
      this.#planBurst(slot);
    });
  }
}
