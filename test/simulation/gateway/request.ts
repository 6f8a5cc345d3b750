/**
 * The life of one request, as the exchange leads it: reserve, commit the hold, call, let the hold grow with the answer,
 * settle, commit the closing. It stops wherever its process dies.
 */
import type { Demand, Limits, Reservation } from "../../../src/limits/limits.ts";
import type { HeldAmount } from "../../../src/storage/escrow/bank.ts";
import type { Asked, Witnessed } from "../checks/asked.ts";
import { checkPreview, checkRates } from "../checks/answer-checks.ts";
import type { Closing } from "../model/ledger.ts";
import { demand, sliceTokens, type RequestPlan } from "../scenario/requests.ts";
import type { Life } from "../world/life.ts";
import type { Place, Setting } from "./setting.ts";
import { StreamGrowth } from "./stream-growth.ts";

/** What a commit of the journal takes at the most; a few are refused at first and take much longer. */
const COMMIT_MS_MAX = 3;
const LATE_COMMIT_MS_MAX = 2_000;
const PREVIEW_CHANCE = 0.02;
/** Tokens that come at once. */
const PIECE_TOKENS_MAX = 45;

/** The process that serves it. */
export interface Server extends Witnessed {
  readonly setting: Setting;
  readonly place: Place;
  readonly life: Life;
  readonly courier: { wake(): void };
  /** Something was thrown that nobody may throw. */
  broke(thrown: unknown): void;
}

export class Request {
  readonly asked: Asked;
  readonly #server: Server;

  constructor(server: Server, plan: RequestPlan) {
    const { auditor, ids } = server.setting;
    this.#server = server;
    this.asked = auditor.asked(ids.next("req"), server, plan);
  }

  /** Rejects with a `Violation`. */
  async live(limits: Limits): Promise<void> {
    const { setting, instanceId, place } = this.#server;
    const { plan, requestId } = this.asked;
    setting.counts.add("requests");
    if (setting.random.chance(PREVIEW_CHANCE)) void this.#preview(limits);
    const reservation = await this.#reserve(limits);
    if (reservation === null) return;
    checkRates(this.asked, reservation);
    const held = copy(reservation.heldAmounts);
    this.#note(`holds ${render(held)}`);
    setting.auditor.reserved(this.asked, held);
    await this.#commit(() => place.journal.hold(instanceId, requestId, held));
    if (plan.ending === "unsent") {
      await this.#end(reservation, null);
      return;
    }
    await this.#wait(plan.answerMs);
    const tokens = plan.ending === "refused" ? 0 : plan.inputTokens + (await this.#receive(reservation));
    await this.#end(reservation, demand(tokens, plan.price));
  }

  /** Somebody asks what it would hold. Nothing comes of it. */
  async #preview(limits: Limits): Promise<void> {
    const { setting } = this.#server;
    const { plan } = this.asked;
    try {
      checkPreview(this.asked, await limits.preview(plan.scope, plan.estimate));
      setting.counts.add("previews");
    } catch (thrown) {
      setting.auditor.previewFailed(thrown);
    }
  }

  /** `null`: refused. */
  async #reserve(limits: Limits): Promise<Reservation | null> {
    const { setting } = this.#server;
    const { plan } = this.asked;
    try {
      const reserving = limits.reserve(plan.scope, plan.estimate);
      if (!(reserving instanceof Promise)) return reserving;
      this.#note("waits for the bank");
      setting.auditor.waits(this.asked);
      setting.counts.add("requests that waited");
      return await reserving;
    } catch (thrown) {
      this.#note(`is refused: ${String(thrown)}`);
      setting.auditor.refused(this.asked, thrown);
      setting.counts.add("requests refused");
      return null;
    }
  }

  /** Output tokens in the end. */
  async #receive(reservation: Reservation): Promise<number> {
    const { plan } = this.asked;
    if (!plan.stream) return plan.outputTokens;
    const growth = this.#grow(reservation);
    let output = 0;
    let most = growth.reached(0);
    while (output < Math.min(most, plan.outputTokens)) {
      await this.#wait(plan.pieceMs);
      output = Math.min(output + this.#server.setting.random.between(1, PIECE_TOKENS_MAX), plan.outputTokens, most);
      most = growth.reached(output);
    }
    growth.stop();
    if (output < plan.outputTokens) this.#server.setting.counts.add("streams stopped");
    const bound = reservation.growing ? growth.heldTokens + sliceTokens : plan.outputTokensMax;
    return Math.min(output + plan.hiddenTokens, plan.outputTokensMax, bound);
  }

  #grow(reservation: Reservation): StreamGrowth {
    const { setting, instanceId, place } = this.#server;
    const { plan, requestId } = this.asked;
    return new StreamGrowth(plan, reservation, {
      grown: (tokens) => {
        const held = copy(reservation.heldAmounts);
        this.#note(`has grown and holds ${render(held)}`);
        setting.auditor.grew(this.asked, held, demand(tokens, plan.price));
        setting.counts.add("extensions");
        // Nobody waits for it: the output does not stop.
        void this.#commit(() => place.journal.extend(instanceId, requestId, held));
      },
      refused: (thrown) => {
        this.#note(`may not grow: ${String(thrown)}`);
        setting.auditor.growthRefused(this.asked, thrown);
        setting.counts.add("extensions refused");
      },
    });
  }

  async #end(reservation: Reservation, used: Demand | null): Promise<void> {
    const { setting, instanceId } = this.#server;
    const { requestId } = this.asked;
    const held = copy(reservation.heldAmounts);
    const moves = reservation.settle(used).map((move) => ({ ...move }));
    this.#note(`takes ${moves.map((move) => `${move.fromGrant}+${move.overdraft} of ${move.accountId}`).join(", ")}`);
    setting.auditor.settled(this.asked, used, held, moves);
    if (moves.some(({ overdraft }) => overdraft > 0n)) setting.counts.add("overdrafts");
    await this.#commit(() => this.#close({ requestId, instanceId, recovered: false, moves }), true);
    reservation.committed();
    if (setting.random.chance(0.05)) reservation.committed();
  }

  #close(closing: Closing): void {
    const { setting, place, courier } = this.#server;
    place.journal.close(closing);
    setting.auditor.closed(closing);
    if (setting.scenario.store === "file") {
      setting.ledger.deliver([closing]);
      place.journal.delivered([closing]);
    } else {
      courier.wake();
    }
  }

  #wait(delayMs: number): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#server.life.after(delayMs, resolve);
    return promise;
  }

  async #commit(act: () => void, mayBeLate = false): Promise<void> {
    const { random } = this.#server.setting;
    const isLate = mayBeLate && random.chance(0.05);
    await this.#wait(random.unit() * (isLate ? LATE_COMMIT_MS_MAX : COMMIT_MS_MAX));
    act();
  }

  #note(what: string): void {
    this.#server.setting.trace.note(this.#server.name, `${this.asked.requestId} ${what}`);
  }
}

function copy(held: readonly HeldAmount[]): readonly HeldAmount[] {
  return held.map((amount) => ({ ...amount }));
}

function render(held: readonly HeldAmount[]): string {
  return held.map(({ amount, accountId, ownerId }) => `${amount} of ${accountId} (${ownerId})`).join(", ") || "nothing";
}
