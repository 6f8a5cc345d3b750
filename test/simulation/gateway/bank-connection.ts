/**
 * A process's connection to the shared database: each call is a message there and a message back, on a network that may
 * lose, delay and repeat either. A call whose answer does not come in time rejects with `storage_unavailable`; it may
 * have been executed, it may be executed yet.
 */
import type { Clock } from "../../../src/kernel/clock.ts";
import { HeadgateError, toHeadgateError } from "../../../src/kernel/errors.ts";
import type { Bank, DrawRequest, DrawResult, LeaseState, ReturnRequest } from "../../../src/storage/escrow/bank.ts";
import type { LeaseLog } from "../checks/lease-log.ts";
import { Violation } from "../checks/violation.ts";
import type { ModelBank } from "../model/bank.ts";
import type { Agenda } from "../world/agenda.ts";
import type { Life } from "../world/life.ts";
import type { Link, Network } from "../world/network.ts";

export interface ConnectionDeps {
  readonly agenda: Agenda;
  readonly network: Network;
  readonly link: Link;
  readonly life: Life;
  readonly clock: Clock;
  readonly bank: ModelBank;
  /** Told what the process learns of its leases, before the process acts on it. */
  readonly leases: LeaseLog;
  /** Milliseconds after which an answer is no longer waited for. */
  readonly patienceMs: number;
  /** For the trace. */
  readonly note: (what: string) => void;
  readonly violated: (violation: Violation) => void;
}

export class BankConnection implements Bank {
  readonly #deps: ConnectionDeps;

  constructor(deps: ConnectionDeps) {
    this.#deps = deps;
  }

  register: Bank["register"] = (ownerId, instanceId, leaseMs) =>
    this.#lease(ownerId, leaseMs, () => this.#deps.bank.register(ownerId, instanceId, leaseMs));

  renew: Bank["renew"] = (ownerId, leaseMs) =>
    this.#lease(ownerId, leaseMs, () => this.#deps.bank.renew(ownerId, leaseMs));

  draw: Bank["draw"] = async (ownerId, requests) => {
    const sent = requests.map((request): DrawRequest => ({ ...request }));
    this.#deps.note(`${ownerId} draws ${sent.map(renderDraw).join(", ")}`);
    try {
      const results = await this.call(() => this.#deps.bank.draw(ownerId, sent));
      this.#deps.note(`${ownerId} has drawn ${results.map(renderResult).join(", ")}`);
      return results;
    } catch (thrown) {
      if (thrown instanceof HeadgateError && thrown.code === "owner_fenced") this.#deps.leases.fenced(ownerId);
      throw thrown;
    }
  };

  giveBack: Bank["giveBack"] = (ownerId, requests) => {
    const sent = requests.map((request): ReturnRequest => ({ ...request }));
    this.#deps.note(`${ownerId} gives back ${sent.map(renderReturn).join(", ")}`);
    return this.call(() => this.#deps.bank.giveBack(ownerId, sent));
  };

  recall: Bank["recall"] = (ownerId, accountIds) => {
    const sent = [...accountIds];
    this.#deps.note(`${ownerId} recalls ${sent.join(", ")}`);
    return this.call(() => this.#deps.bank.recall(ownerId, sent));
  };

  finish: Bank["finish"] = (ownerIds) => {
    const sent = [...ownerIds];
    this.#deps.note(`finishes ${sent.join(", ")}`);
    return this.call(() => this.#deps.bank.finish(sent));
  };

  reap: Bank["reap"] = () => this.call(() => this.#deps.bank.reap());

  async #lease(ownerId: string, leaseMs: number, execute: () => LeaseState): Promise<LeaseState> {
    const { clock, leases } = this.#deps;
    const askedAtMs = clock.monotonicMs();
    const state = await this.call(execute);
    leases.answered(ownerId, state.alive, askedAtMs, leaseMs);
    return state;
  }

  /** `execute` is what the database does, in one transaction. */
  call<Result>(execute: () => Result): Promise<Result> {
    const { life, network, link, patienceMs, violated } = this.#deps;
    const { promise, resolve, reject } = Promise.withResolvers<Result>();
    let answered = false;
    const answer = (settle: () => void): void => {
      network.send(link, () => {
        life.run(() => {
          if (answered) return;
          answered = true;
          settle();
        });
      });
    };
    network.send(link, () => {
      try {
        const result = execute();
        answer(() => resolve(result));
      } catch (thrown) {
        if (thrown instanceof Violation) violated(thrown);
        const error = toHeadgateError(thrown);
        answer(() => {
          if (error.code === "internal") violated(new Violation("sequence", describe(error)));
          reject(error);
        });
      }
    });
    life.after(patienceMs, () => {
      if (answered) return;
      answered = true;
      reject(new HeadgateError("storage_unavailable", "The shared database does not answer."));
    });
    return promise;
  }
}

function renderDraw({ account, sequence, need, want }: DrawRequest): string {
  return `${need} to ${want} of ${account.accountId} (${sequence})`;
}

function renderResult({ accountId, granted, standing }: DrawResult): string {
  if (standing === null) return `without limit of ${accountId}`;
  const { limit, spent, granted: inHands, suspense } = standing;
  return `${granted} of ${accountId}: limit ${limit}, spent ${spent}, granted ${inHands}, suspense ${suspense}`;
}

function renderReturn({ accountId, sequence, amount }: ReturnRequest): string {
  return `${amount} of ${accountId} (${sequence})`;
}

function describe(error: HeadgateError): string {
  return `${error.message} ${error.cause instanceof Error ? (error.cause.stack ?? error.cause.message) : ""}`;
}
