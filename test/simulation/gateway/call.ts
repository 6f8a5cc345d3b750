/**
 * One call of a request, as the exchange leads it: reserve, commit the hold, call, let the hold grow with the answer; and
 * where another call follows, free what it does not use. What it used is settled with the request. It stops wherever its
 * process dies.
 */
import type { Demand, Limits, Reservation } from "../../../src/limits/limits.ts";
import type { HeldAmount, Move } from "../../../src/storage/escrow/bank.ts";
import type { Asked, Witnessed } from "../checks/asked.ts";
import { checkRates } from "../checks/answer-checks.ts";
import { demand, sliceTokens } from "../scenario/requests.ts";
import type { Life } from "../world/life.ts";
import type { Place, Setting } from "./setting.ts";
import { StreamGrowth } from "./stream-growth.ts";

/** What a commit of the journal takes at the most; a few are refused at first and take much longer. */
const COMMIT_MS_MAX = 3;
const LATE_COMMIT_MS_MAX = 2_000;
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

export class Call {
  readonly asked: Asked;
  readonly #server: Server;
  #reservation: Reservation | null = null;
  #used: Demand | null = null;
  #isFreed = false;

  constructor(server: Server, asked: Asked) {
    this.#server = server;
    this.asked = asked;
  }

  /** `null`: it was refused, or has not reserved yet. */
  get reservation(): Reservation | null {
    return this.#reservation;
  }

  /** `earlier`: the calls of the same request before. Resolves when it is over, with whether it was made. */
  async make(limits: Limits, earlier: readonly Call[]): Promise<boolean> {
    const { setting, instanceId, place } = this.#server;
    const { plan, requestId } = this.asked;
    const reservation = await this.#reserve(
      limits,
      earlier.flatMap(({ reservation: each }) => each ?? []),
    );
    if (reservation === null) return false;
    this.#reservation = reservation;
    checkRates(this.asked, reservation);
    const held = copy(reservation.heldAmounts);
    this.#note(`holds ${render(held)}`);
    setting.auditor.reserved(this.asked, held);
    await commit(this.#server, () => place.journal.hold(instanceId, requestId, held));
    if (plan.ending === "unsent") return true;
    await wait(this.#server, plan.answerMs);
    const tokens = plan.ending === "refused" ? 0 : plan.inputTokens + (await this.#receive(reservation));
    this.#used = demand(tokens, plan.price);
    return true;
  }

  /** What it holds and did not use is there for the call that follows. */
  async free(): Promise<void> {
    const { setting, instanceId, place } = this.#server;
    const reservation = this.#reservation;
    if (reservation === null) return;
    this.#isFreed = true;
    const held = copy(reservation.shrink(this.#used));
    this.#note(`shrinks to ${render(held)}`);
    setting.auditor.holdings.shrank(this.asked, this.#used, held);
    setting.counts.add("calls that freed what they did not use");
    await commit(this.#server, () => {
      place.journal.extend(instanceId, this.asked.requestId, held);
      setting.auditor.holdings.freed(this.asked);
    });
    reservation.shrunk();
  }

  settle(): readonly Move[] {
    const { setting } = this.#server;
    const reservation = this.#reservation;
    if (reservation === null) return [];
    const held = copy(reservation.heldAmounts);
    const moves = reservation.settle(this.#used).map((move) => ({ ...move }));
    this.#note(`takes ${moves.map((move) => `${move.fromGrant}+${move.overdraft} of ${move.accountId}`).join(", ")}`);
    setting.auditor.settled(this.asked, this.#used, held, moves);
    if (moves.some(({ overdraft }) => overdraft > 0n)) setting.counts.add("overdrafts");
    return moves;
  }

  /** `null`: refused. */
  async #reserve(limits: Limits, earlier: readonly Reservation[]): Promise<Reservation | null> {
    const { setting } = this.#server;
    const { plan } = this.asked;
    try {
      const reserving = limits.reserve(plan.scope, plan.estimate, earlier);
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
      await wait(this.#server, plan.pieceMs);
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
        // Nobody waits for it: the output does not stop. What is written later stands.
        void commit(this.#server, () => {
          if (!this.#isFreed) place.journal.extend(instanceId, requestId, held);
        });
      },
      refused: (thrown) => {
        this.#note(`may not grow: ${String(thrown)}`);
        setting.auditor.growthRefused(this.asked, thrown);
        setting.counts.add("extensions refused");
      },
    });
  }

  #note(what: string): void {
    this.#server.setting.trace.note(this.#server.name, `${this.asked.requestId} ${what}`);
  }
}

/** A commit of the journal. `mayBeLate`: one that is refused at first. */
export async function commit(server: Server, act: () => void, mayBeLate = false): Promise<void> {
  const { random } = server.setting;
  const isLate = mayBeLate && random.chance(0.05);
  await wait(server, random.unit() * (isLate ? LATE_COMMIT_MS_MAX : COMMIT_MS_MAX));
  act();
}

function wait({ life }: Server, delayMs: number): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  life.after(delayMs, resolve);
  return promise;
}

function copy(held: readonly HeldAmount[]): readonly HeldAmount[] {
  return held.map((amount) => ({ ...amount }));
}

function render(held: readonly HeldAmount[]): string {
  return held.map(({ amount, accountId, ownerId }) => `${amount} of ${accountId} (${ownerId})`).join(", ") || "nothing";
}
