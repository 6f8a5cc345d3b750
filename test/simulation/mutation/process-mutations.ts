/** Bugs in the process's side: paths, purses, tellers, leases, reservations. */
import type { Mutation } from "../../support/seeds/workshop.ts";

const escrow = "src/limits/escrow";
const owner = "src/limits/owner";
const reservation = "src/limits/reservation.ts";

export const processMutations: readonly Mutation[] = [
  {
    name: "what a request takes stays free",
    file: `${escrow}/hand.ts`,
    find: "    this.#free -= amount;",
    replace: "",
  },
  {
    name: "a recall gives back what is held",
    file: `${escrow}/hand.ts`,
    find: "const amount = free + this.#stale;",
    replace: "const amount = this.#all;",
  },
  {
    name: "what was not used is free before it is committed",
    file: reservation,
    find: "this.#held[at] = amount < held ? held - amount : null;",
    replace: "this.#held[at] = null;\n      if (amount < held) purse.release(held - amount, false);",
  },
  {
    name: "what a call leaves to the next is free before the journal knows",
    file: reservation,
    find: "if (kept <= held) return held - kept;",
    replace: "if (kept <= held) {\n        this.#purses[at]?.release(held - kept, false);\n        return 0n;\n      }",
  },
  {
    name: "what a call left to the next is free again at the end",
    file: reservation,
    find: "    this.#spare = [];\n",
    replace: "",
  },
  {
    name: "a call that is over holds what it held, whatever it used",
    file: reservation,
    find: "      this.#held[at] = kept;\n",
    replace: "",
  },
  {
    name: "what a call used beyond its hold is not taken",
    file: reservation,
    find: "this.#purses[at]?.hold(kept - held);",
    replace: "",
  },
  {
    name: "a later call counts the request again",
    file: "src/limits/create-limits.ts",
    find: "if (carrier !== null) amounts[at] = null;",
    replace: "",
  },
  {
    name: "a request counts only where a provider saw its first call",
    file: reservation,
    find: "if (used !== null) this.#carriers?.[at]?.seenAt(accountId);",
    replace: "",
  },
  {
    name: "what was not used is free again twice",
    file: reservation,
    find: 'if (this.#state === "committed") return;',
    replace: "",
  },
  {
    name: "an overdraft is not settled",
    file: reservation,
    find: "overdraft: amount - fromGrant });",
    replace: "overdraft: 0n });",
  },
  {
    name: "a settlement takes twice what was used",
    file: reservation,
    find: "const amount = usedOf(allowance, wasSeen ? nothingUsed : used);",
    replace: "const amount = 2n * usedOf(allowance, used);",
  },
  {
    name: "slots are not given back",
    file: reservation,
    find: "purse.release(held, false);\n        continue;",
    replace: "continue;",
  },
  {
    name: "all or none: only the first allowance is looked at",
    file: "src/limits/create-limits.ts",
    find: "for (const purse of purses) if (!purse.covers(amounts[at++] ?? 0n, order)) return false;\n  return true;",
    replace: "for (const purse of purses) return purse.covers(amounts[at++] ?? 0n, order);\n  return true;",
  },
  {
    name: "what is held for the worst case grows too",
    file: "src/limits/path/amounts.ts",
    find: "if (!isGrowing(allowance)) return 0n;",
    replace: "",
  },
  {
    name: "an allowance of one operation counts every operation",
    file: "src/limits/path/matching.ts",
    find: "if (operation !== null && operation !== request.operation) return false;",
    replace: "",
  },
  {
    name: "subjects are counted together",
    file: "src/limits/path/matching.ts",
    find: 'return scope.keyId === null ? payer.keyId : "";',
    replace: 'return "";',
  },
  {
    name: "changes of allowances are not heard",
    file: "src/limits/path/path-finder.ts",
    find: "if (generation !== this.#generation) this.#renew(generation);",
    replace: "if (this.#generation < 0) this.#renew(generation);",
  },
  {
    name: "a window that has ended goes on",
    file: "src/limits/path/path.ts",
    find: "const isPresent = this.#fromMs <= bankNowMs && bankNowMs < this.#untilMs;",
    replace: "const isPresent = this.#fromMs <= bankNowMs && this.#untilMs > 0;",
  },
  {
    name: "the bank's time is learnt once, and half",
    file: `${owner}/bank-time.ts`,
    find: "this.#offsetMs = bankMs - (sentMs + receivedMs) / 2;",
    replace: "this.#offsetMs ||= bankMs - (sentMs + receivedMs) / 2 - 20_000;",
  },
  {
    name: "a lease is used beyond its end",
    file: `${owner}/owner.ts`,
    find: "const LEASE_USED = 0.9;",
    replace: "const LEASE_USED = 1.5;",
  },
  {
    name: "the end of a lease is forgotten",
    file: `${owner}/owner.ts`,
    find: "if (nowMs < this.#usableUntilMs) return;",
    replace: "if (!this.isOver) return;",
  },
  {
    name: "a fenced owner goes on with what it has in hand",
    file: `${owner}/owner.ts`,
    find: "if (!lease.alive) {\n      this.#fence();\n      return;\n    }",
    replace: "",
  },
  {
    name: "after fencing the same owner is registered again",
    file: `${owner}/owners.ts`,
    find: 'this.#nextId ??= this.#deps.ids.next("own");',
    replace: "this.#nextId ??= before.id;",
  },
  {
    name: "an owner is finished while reservations are open",
    file: `${owner}/owners.ts`,
    find: "if (owner.isSettled && !this.#finishing.has(owner))",
    replace: "if (!this.#finishing.has(owner))",
  },
  {
    name: "an owner is finished before its closings are delivered",
    file: `${owner}/owners.ts`,
    find: "await this.#deps.delivered();",
    replace: "",
  },
  {
    name: "a former owner is never finished",
    file: `${owner}/owners.ts`,
    find: "await this.#deps.bank.finish([owner.id]);",
    replace: "",
  },
  {
    name: "an allowance that does not refuse makes requests wait",
    file: `${escrow}/purse.ts`,
    find: "return !this.refuses || this.isUnlimited;",
    replace: "return this.isUnlimited;",
  },
  {
    name: "nothing goes on beyond the lease",
    file: "src/limits/create-limits.ts",
    find: "if (path.refuses) owner.assertUsable(nowMs);",
    replace: "owner.assertUsable(nowMs);",
  },
  {
    name: "what was taken and is not there is taken for granted",
    file: `${escrow}/hand.ts`,
    find: "const covered = used < within ? used : within > 0n ? within : 0n;",
    replace: "const covered = used;",
  },
  {
    name: "refusals are reported again with the next operation",
    file: `${escrow}/supply.ts`,
    find: "this.#unreported -= operation.refusals;",
    replace: "",
  },
  {
    name: "refusals are reported only where something else is asked",
    file: `${escrow}/errand.ts`,
    find: "return wants.isReportDue && wants.isReachable ?",
    replace: "return wants.isReportDue && !wants.isReachable ?",
  },
  {
    name: "operations all have the same number",
    file: `${escrow}/supply.ts`,
    find: "this.#sequence = operation.sequence;",
    replace: "",
  },
  {
    name: "an operation without an answer is taken for done",
    file: `${escrow}/supply.ts`,
    find: 'if (this.#operation !== null) this.#operation.state = "unknown";',
    replace: "this.answered();",
  },
  {
    name: "an operation without an answer is never repeated",
    file: `${escrow}/supply.ts`,
    find: 'if (this.#operation?.state !== "unknown") return null;',
    replace: "if (this.#sequence >= 0) return null;\n    if (this.#operation === null) return null;",
  },
  {
    name: "whoever waits is not woken by a draw",
    file: `${escrow}/purse.ts`,
    find: "this.#look.resolve(nowMs);\n    this.#counter.serve();",
    replace: "this.#look.resolve(nowMs);",
  },
  {
    name: "recalls are not heard",
    file: `${owner}/owner.ts`,
    find: "purse?.recalled();",
    replace: "",
  },
  {
    name: "nobody is asked for what is idle",
    file: `${escrow}/counter.ts`,
    find: "this.#purse.recall();",
    replace: "",
  },
  {
    name: "once refused, smaller requests are refused unasked for long",
    file: `${escrow}/shortage.ts`,
    find: "return nowMs < this.#untilMs && need >= this.#need;",
    replace: "return nowMs < this.#untilMs + 10_000 && need >= 0n * this.#need;",
  },
];
