/** The callers of a steady soak: each call takes the next errand, and what each saw is kept. */
import { Agent } from "node:http";
import { callGateway, type Outcome } from "../caller.ts";
import type { Sources } from "./chat-plan.ts";
import { type Errand, errandAt } from "./traffic.ts";

export interface Served {
  readonly errand: Errand;
  readonly outcome: Outcome;
}

export class Callers {
  readonly served: Served[] = [];
  readonly #url: string;
  readonly #sources: Sources;
  /** Of this round, by their numbers. */
  readonly #sent = new Map<number, Promise<void>>();
  #agent = new Agent({ keepAlive: true });
  #next = 0;

  constructor(url: string, sources: Sources) {
    this.#url = url;
    this.#sources = sources;
  }

  /** Resolves when the request is over, however it ended. */
  send(): Promise<void> {
    const index = this.#next++;
    const served = this.#serve(errandAt(this.#sources, index));
    this.#sent.set(index, served);
    return served;
  }

  /** All that were sent are over: connections are closed. */
  endRound(): void {
    this.#agent.destroy();
    this.#agent = new Agent({ keepAlive: true });
    this.#sent.clear();
  }

  async #serve(errand: Errand): Promise<void> {
    // What was sent in an earlier round is over.
    if (errand.after !== null) await this.#sent.get(errand.after);
    this.served.push({ errand, outcome: await callGateway(this.#url, this.#agent, errand.plan) });
  }
}
