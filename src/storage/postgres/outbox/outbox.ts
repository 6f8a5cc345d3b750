/**
 * Delivers what this process has closed to the shared database, in the background: at least once, and exactly once by
 * the ids of requests and entries.
 *
 *   idle ── wake ─▶ gathering (a timer) ─▶ delivering ─┬─ nothing left ─▶ idle
 *                                              ▲       └─ the database is away ─▶ waiting (a timer) ─▶ delivering
 *                                              └─ more is there
 *
 * Invariant: a closing leaves the outbox after the transaction that wrote it to the shared database is committed. What
 * dead processes left in theirs is moved to this one's by recovery; once that is delivered, what they had been granted
 * and did not use is free again.
 */
import type { Kysely } from "kysely";
import type { Clock, Timer } from "../../../kernel/clock.ts";
import { HeadgateError } from "../../../kernel/errors.ts";
import type { Bank } from "../../escrow/bank.ts";
import type { Database } from "../../schema.ts";
import { type OutboxItem, type OutboxReader, removeDelivered } from "./batch.ts";
import { deliver, isItemFault } from "./deliver.ts";
import { countUndelivered, findDeparted, forgetDeparted, lastSequence, setAside } from "./local-books.ts";
import type { Departed } from "./local-books.ts";

export interface OutboxOptions {
  /** The machine's own file. */
  readonly local: Kysely<Database>;
  readonly read: OutboxReader;
  readonly shared: Kysely<Database>;
  readonly bank: Pick<Bank, "finish">;
  readonly clock: Clock;
  readonly instanceId: string;
  /** Something could not be delivered, and will be tried again. */
  readonly onFailure: (error: unknown) => void;
  /** The shared database refuses a closing for what is in it; it is set aside. */
  readonly onRefused: (error: unknown) => void;
}

interface Waiter {
  /** What is to be delivered: up to this one. */
  readonly sequence: number;
  resolve(): void;
  reject(reason: unknown): void;
}

const BATCH_LENGTH = 500;
/** What is closed one after the other travels together. */
const GATHER_MS = 50;
const RETRY_MS_MIN = 250;
const RETRY_MS_MAX = 5000;

export class Outbox {
  readonly #options: OutboxOptions;
  #waiters: Waiter[] = [];
  /** Closings that are not delivered, or a little more until all of them are. */
  #length: number;
  #timer: Timer | null = null;
  #running: Promise<void> | null = null;
  /** Something was added since the running delivery began. */
  #added = false;
  /** Dead processes may have been left to this one. */
  #departures = true;
  #retryMs = RETRY_MS_MIN;
  #stopped = false;

  private constructor(options: OutboxOptions, length: number) {
    this.#options = options;
    this.#length = length;
  }

  static async open(options: OutboxOptions): Promise<Outbox> {
    return new Outbox(options, await countUndelivered(options.local, options.instanceId));
  }

  /** Closings that are not delivered. */
  get length(): number {
    return this.#length;
  }

  /** So many closings were committed. */
  added(closings: number): void {
    if (closings === 0) return;
    this.#length += closings;
    this.#added = true;
    this.#schedule(GATHER_MS);
  }

  /** Recovery has moved something here. */
  async adopted(): Promise<void> {
    this.#departures = true;
    this.#length = await countUndelivered(this.#options.local, this.#options.instanceId);
    this.#added = true;
    this.#schedule(0);
  }

  /**
   * Tries at once, and resolves when everything that was closed so far is in the shared database. Rejects with
   * `storage_unavailable` when that fails; it is tried again nevertheless.
   */
  async delivered(): Promise<void> {
    const { local, instanceId } = this.#options;
    const sequence = await lastSequence(local, instanceId);
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    this.#waiters.push({ sequence, resolve, reject });
    this.#added = true;
    this.#start();
    return promise;
  }

  /** Delivers nothing more, after what is under way. */
  async stop(): Promise<void> {
    this.#stopped = true;
    this.#timer?.cancel();
    await this.#running;
    this.#rejectWaiters(new HeadgateError("storage_unavailable", "The store is closed.", { retryAfterMs: 1000 }));
  }

  #schedule(delayMs: number): void {
    if (this.#timer !== null || this.#running !== null || this.#stopped) return;
    this.#timer = this.#options.clock.setTimer(() => this.#start(), delayMs);
  }

  #start(): void {
    this.#timer?.cancel();
    this.#timer = null;
    if (this.#running !== null || this.#stopped) return;
    this.#running = this.#run();
  }

  async #run(): Promise<void> {
    let failure: unknown = null;
    try {
      while (this.#added && !this.#stopped) await this.#deliverSome();
    } catch (error) {
      failure = error;
    }
    this.#running = null;
    if (failure === null) {
      this.#retryMs = RETRY_MS_MIN;
      return;
    }
    this.#options.onFailure(failure);
    this.#rejectWaiters(failure);
    this.#added = true;
    this.#schedule(this.#retryMs);
    this.#retryMs = Math.min(this.#retryMs * 2, RETRY_MS_MAX);
  }

  #rejectWaiters(reason: unknown): void {
    for (const waiter of this.#waiters.splice(0)) waiter.reject(reason);
  }

  async #deliverSome(): Promise<void> {
    const { local, instanceId, read } = this.#options;
    this.#added = false;
    const waiting = new Set(this.#waiters);
    // Read before the outbox: whatever a dead process left is then in what follows.
    const departed = this.#departures ? await findDeparted(local, instanceId) : [];
    const lengthBefore = this.#length;
    const items = await read(BATCH_LENGTH);
    const all = items.length < BATCH_LENGTH;
    if (!all) this.#added = true;
    if (items.length > 0) await this.#deliverItems(items);
    this.#length -= all ? lengthBefore : items.length;
    const upTo = all ? Number.POSITIVE_INFINITY : (items.at(-1)?.sequence ?? 0);
    await this.#seeOff(departed.filter(({ sequence }) => sequence <= upTo));
    if (all && departed.length === 0) this.#departures = false;
    this.#waiters = this.#waiters.filter((waiter) => {
      const answered = waiting.has(waiter) && waiter.sequence <= upTo;
      if (answered) waiter.resolve();
      return !answered;
    });
  }

  async #deliverItems(items: readonly OutboxItem[]): Promise<void> {
    const { local, shared, onRefused } = this.#options;
    try {
      await deliver(shared, items);
      await removeDelivered(local, items);
    } catch (error) {
      if (!isItemFault(error)) throw error;
      if (items.length > 1) {
        for (const item of items) await this.#deliverItems([item]);
        return;
      }
      for (const { sequence, requestId } of items) {
        await setAside(local, sequence, requestId, error);
        onRefused(
          new Error(`The shared database refuses the record of ${requestId}, which is set aside.`, { cause: error }),
        );
      }
    }
  }

  async #seeOff(departed: readonly Departed[]): Promise<void> {
    const { local, shared, bank } = this.#options;
    for (const { id } of departed) {
      const owners = await shared
        .selectFrom("allowance_owners")
        .select("owner_id")
        .where("instance_id", "=", id)
        .execute();
      await bank.finish(owners.map((owner) => owner.owner_id));
      await forgetDeparted(local, id);
    }
  }
}
