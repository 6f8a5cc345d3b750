/**
 * The life of one request, as the exchange leads it: call after call, each of which frees what it does not use before the
 * next one reserves; then all are settled, and their closings committed together. It stops wherever its process dies.
 */
import type { Limits } from "../../../src/limits/limits.ts";
import { checkPreview } from "../checks/answer-checks.ts";
import type { Asked } from "../checks/asked.ts";
import type { Closing } from "../model/ledger.ts";
import type { RequestPlan } from "../scenario/requests.ts";
import { Call, commit, type Server } from "./call.ts";

const PREVIEW_CHANCE = 0.02;

export class Request {
  readonly #server: Server;
  readonly #plan: RequestPlan;
  readonly #calls: Call[] = [];

  constructor(server: Server, plan: RequestPlan) {
    this.#server = server;
    this.#plan = plan;
    this.#begin(plan);
  }

  /** Its calls as far as they have begun. */
  get asked(): readonly Asked[] {
    return this.#calls.map(({ asked }) => asked);
  }

  /** Rejects with a `Violation`. */
  async live(limits: Limits): Promise<void> {
    const { setting } = this.#server;
    setting.counts.add("requests");
    if (setting.random.chance(PREVIEW_CHANCE)) void this.#preview(limits);
    let [call] = this.#calls;
    let next = this.#plan.next;
    while (call !== undefined && (await call.make(limits, this.#calls)) && next !== null) {
      await call.free();
      call = this.#begin(next);
      next = next.next;
    }
    await this.#end();
  }

  #begin(plan: RequestPlan): Call {
    const { auditor, ids } = this.#server.setting;
    const call = new Call(this.#server, auditor.asked(ids.next("req"), this.#server, plan, this.asked));
    this.#calls.push(call);
    return call;
  }

  /** Somebody asks what it would hold. Nothing comes of it. */
  async #preview(limits: Limits): Promise<void> {
    const { setting } = this.#server;
    const { scope, estimate } = this.#plan;
    const [asked] = this.asked;
    if (asked === undefined) return;
    try {
      checkPreview(asked, await limits.preview(scope, estimate));
      setting.counts.add("previews");
    } catch (thrown) {
      setting.auditor.previewFailed(thrown);
    }
  }

  /** The last call is settled first: an earlier one counts the request for those that were seen by a provider. */
  async #end(): Promise<void> {
    const { instanceId, setting } = this.#server;
    const made = this.#calls.filter(({ reservation }) => reservation !== null);
    if (made.length === 0) return;
    const closings = made.toReversed().map((call) => {
      const { requestId } = call.asked;
      return { requestId, instanceId, recovered: false, moves: call.settle() };
    });
    await commit(this.#server, () => this.#close(closings), true);
    for (const { reservation } of made) {
      reservation?.committed();
      if (setting.random.chance(0.05)) reservation?.committed();
    }
  }

  #close(closings: readonly Closing[]): void {
    const { setting, place, courier } = this.#server;
    for (const closing of closings) {
      place.journal.close(closing);
      setting.auditor.holdings.closed(closing);
    }
    if (setting.scenario.store === "file") {
      setting.ledger.deliver(closings);
      place.journal.delivered(closings);
    } else {
      courier.wake();
    }
  }
}
