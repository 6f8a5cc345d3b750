/**
 * What a process does in the background with its machine's journal: delivers closings to the shared ledger, again and
 * again until it is told that they have arrived; charges what dead processes of the machine left held; and finishes
 * their owners, once nothing of theirs is on its way any more.
 */
import { HeadgateError } from "../../../src/kernel/errors.ts";
import type { Journal } from "../model/journal.ts";
import type { BankConnection } from "./bank-connection.ts";
import type { Server } from "./call.ts";

const DELIVERY_MS = 60;
const RECOVERY_MS = 700;
const BATCH_MAX = 8;

interface Waiting {
  readonly requestIds: Set<string>;
  readonly done: () => void;
}

export class Courier {
  readonly #server: Server;
  readonly #connection: BankConnection;
  readonly #journal: Journal;
  readonly #waiting = new Set<Waiting>();
  #awake = false;

  constructor(server: Server, connection: BankConnection) {
    this.#server = server;
    this.#connection = connection;
    this.#journal = server.place.journal;
  }

  start(): void {
    this.#recoverAgain();
    this.wake();
  }

  /** Something may be in the outbox. */
  wake(): void {
    if (this.#awake || this.#journal.outbox.size === 0) return;
    this.#awake = true;
    this.#server.life.after(DELIVERY_MS, () => {
      void this.#tolerate(this.#deliver()).then(() => {
        this.#awake = false;
        this.wake();
      });
    });
  }

  /** Resolves when all that has been closed so far is in the ledger. */
  delivered(): Promise<void> {
    const requestIds = new Set(this.#journal.outbox.keys());
    if (requestIds.size === 0) return Promise.resolve();
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#waiting.add({ requestIds, done: resolve });
    return promise;
  }

  #recoverAgain(): void {
    this.#server.life.after(RECOVERY_MS, () => {
      void this.#tolerate(this.#recover()).then(() => this.#recoverAgain());
    });
  }

  /** Some of the outbox, in no order. */
  async #deliver(): Promise<void> {
    const { setting } = this.#server;
    const outbox = [...this.#journal.outbox.values()];
    if (outbox.length === 0) return;
    const start = setting.random.below(outbox.length);
    const batch = [...outbox.slice(start), ...outbox.slice(0, start)].slice(0, BATCH_MAX);
    setting.counts.add("deliveries");
    await this.#connection.call(() => setting.ledger.deliver(batch));
    this.#journal.delivered(batch);
    for (const waiting of this.#waiting) {
      for (const { requestId } of batch) waiting.requestIds.delete(requestId);
      if (waiting.requestIds.size > 0) continue;
      this.#waiting.delete(waiting);
      waiting.done();
    }
  }

  async #recover(): Promise<void> {
    const { bank } = this.#server.setting;
    for (const instanceId of this.#journal.deadInstances) {
      this.#charge(instanceId);
      if (this.#journal.hasUndelivered(instanceId)) continue;
      const owners = await this.#connection.call(() => bank.ownersOf(instanceId));
      await this.#connection.finish(owners);
      this.#journal.forget(instanceId);
    }
  }

  #charge(instanceId: string): void {
    const { setting, name } = this.#server;
    const closings = this.#journal.recover(instanceId);
    this.wake();
    for (const closing of closings) {
      setting.auditor.holdings.recovered(closing);
      setting.counts.add("requests charged from a journal");
      setting.trace.note(name, `${closing.requestId} of ${instanceId} is charged what it held`);
    }
    if (setting.scenario.store !== "file") return;
    setting.ledger.deliver(closings);
    this.#journal.delivered(closings);
  }

  /** The bank may be away for a while. */
  async #tolerate(work: Promise<void>): Promise<void> {
    try {
      await work;
    } catch (thrown) {
      if (!(thrown instanceof HeadgateError) || thrown.code !== "storage_unavailable") this.#server.broke(thrown);
    }
  }
}
