/**
 * What must hold of refusals: the allowance that is named is on the path and had no room, and where nothing goes wrong
 * also nothing idle in other processes; nobody waits longer than it takes to find that out.
 */
import type { HeadgateError } from "../../../src/kernel/errors.ts";
import { regimeOf } from "../../../src/limits/allowance.ts";
import type { ModelAccount, ModelBank } from "../model/bank.ts";
import type { AllowanceRow, Control } from "../model/control.ts";
import type { Asked } from "./asked.ts";
import type { Books } from "./books.ts";
import { slotsKey } from "./concurrency-checks.ts";
import { limitOf, neededOf, type PathEntry } from "./path.ts";
import { freeOf, RoomLog } from "./room.ts";
import type { Running } from "./running.ts";
import { Violation } from "./violation.ts";

export interface RefusalRules {
  /** Nothing goes wrong in this world: what is idle anywhere can be had, and the bank always answers. */
  readonly calm: boolean;
  /** A refusal may rest on what was true so long ago. */
  readonly lookBackMs: number;
  /** In a calm world, the longest that a request may wait for its reservation. */
  readonly patienceMs: number;
}

export interface RefusalDeps {
  readonly control: Control;
  readonly books: Books;
  /** Requests that use slots, by `slotsKey`. */
  readonly slots: Running<Asked>;
  readonly rules: RefusalRules;
  readonly nowMs: () => number;
}

const nobody: ReadonlyMap<string, bigint> = new Map();
const codes = { budget: "budget_exhausted", rate: "rate_limited", slots: "slots_exhausted" } as const;
/** Refusals that are not about an allowance. */
const outOfTouch: ReadonlySet<string> = new Set(["storage_unavailable", "owner_fenced", "overloaded", "shutting_down"]);

export class RefusalChecks {
  readonly #deps: RefusalDeps;
  readonly #rooms = new RoomLog();
  /** In the order in which they began to wait. */
  readonly #waiting = new Set<Asked>();
  /** What they need together, by the prefix of the accounts' ids. */
  readonly #asked = new Map<string, bigint>();
  /** The account of the newest window. */
  readonly #newest = new Map<string, ModelAccount>();

  #isHealed = false;

  constructor(deps: RefusalDeps) {
    this.#deps = deps;
  }

  get waiting(): number {
    return this.#waiting.size;
  }

  /** From now on every process is in touch with the bank. */
  heal(): void {
    this.#isHealed = true;
  }

  asked(asked: Asked): void {
    this.#waiting.add(asked);
    this.#ask(asked, 1n);
  }

  /** Admitted, refused, or its process has died. */
  answered(asked: Asked): void {
    if (this.#waiting.delete(asked)) this.#ask(asked, -1n);
  }

  refused(asked: Asked, error: HeadgateError): void {
    this.answered(asked);
    const say = `${asked.requestId} is refused with ${error.code} (${error.message})`;
    if (outOfTouch.has(error.code)) {
      this.unanswered(asked.requestId, error);
      return;
    }
    const entry = asked.path.find(({ row }) => row.name === error.allowance);
    if (entry === undefined) throw new Violation("refusal", `${say} by "${error.allowance}", which is not on its path`);
    const code = codes[regimeOf(entry.row.meter, entry.row.window_kind)];
    if (error.code !== code) throw new Violation("refusal", `${say} instead of ${code}`);
    this.#checkRoom(asked, entry, say);
  }

  /** Somebody was told nothing because its process is out of touch with the bank. */
  unanswered(who: string, error: HeadgateError): void {
    if (!this.#deps.rules.calm && !this.#isHealed && outOfTouch.has(error.code)) return;
    throw new Violation("recovery", `${who} is refused with ${error.code} (${error.message}), though nothing is wrong`);
  }

  /** After any change. */
  note(account: ModelAccount, bank: ModelBank): void {
    const { allowanceId, subject, windowStartMs } = account.key;
    const prefix = `${allowanceId}|${subject}|`;
    const newest = this.#newest.get(prefix);
    if (newest !== undefined && newest.key.windowStartMs > windowStartMs) return;
    this.#newest.set(prefix, account);
    const { state } = account;
    this.#rooms.note(prefix, {
      atMs: this.#deps.nowMs(),
      free: freeOf(account, bank.nowMs()),
      idle: this.#deps.rules.calm ? this.#idleOf(account, prefix, bank) : nobody,
      asked: this.#asked.get(prefix) ?? 0n,
      most: state.drain === null ? null : state.limit,
    });
  }

  /** After every event. */
  check(): void {
    const { rules, nowMs } = this.#deps;
    if (!rules.calm) return;
    const [oldest] = this.#waiting;
    if (oldest === undefined || nowMs() - oldest.askedAtMs <= rules.patienceMs) return;
    throw new Violation("patience", `${oldest.requestId} has been waiting for ${nowMs() - oldest.askedAtMs} ms`);
  }

  #idleOf({ key, grants }: ModelAccount, prefix: string, bank: ModelBank): ReadonlyMap<string, bigint> {
    const { books, slots } = this.#deps;
    const positions = books.positionsOf(key.accountId);
    const idle = new Map<string, bigint>();
    for (const [ownerId, { amount }] of grants) {
      const instanceId = bank.instanceOf(ownerId) ?? ownerId;
      const { held, undelivered } = positions.get(ownerId) ?? { held: 0n, undelivered: 0n };
      const unused = amount - held - undelivered - BigInt(slots.now(slotsKey(prefix, instanceId)));
      idle.set(instanceId, (idle.get(instanceId) ?? 0n) + unused);
    }
    return idle;
  }

  #checkRoom(asked: Asked, { row, prefix }: PathEntry, say: string): void {
    const { control, rules, nowMs } = this.#deps;
    const need = neededOf(row, asked.plan.estimate);
    const least = this.#rooms.leastFor(prefix, need, asked.askedAtMs, nowMs() - rules.lookBackMs);
    const room = least ?? capacityOf(row, control);
    if (room < need) return;
    const where = rules.calm ? "there was, unused somewhere," : "there was";
    throw new Violation(rules.calm ? "idle" : "refusal", `${say}: it needs ${need}, ${where} ${room} all the time`);
  }

  #ask({ path, plan }: Asked, sign: 1n | -1n): void {
    for (const { row, prefix } of path) {
      const sum = (this.#asked.get(prefix) ?? 0n) + sign * neededOf(row, plan.estimate);
      this.#asked.set(prefix, sum);
      const account = this.#newest.get(prefix);
      if (account !== undefined) this.#deps.books.touched.add(account.key.accountId);
    }
  }
}

/** Of an account that does not exist yet. An override may be for its window or not: then nothing is known. */
function capacityOf(row: AllowanceRow, control: Control): bigint {
  if (control.overridesOf(row.id).length > 0) return 0n;
  const asked = limitOf(row, [], 0);
  const now = limitOf(control.allowance(row.id) ?? row, [], 0);
  return asked < now ? asked : now;
}
