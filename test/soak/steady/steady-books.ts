/** What the store says when a steady soak is over: of allowances, and of how requests were served. */
import type { Kysely } from "kysely";
import { totalInputTokens, totalOutputTokens } from "../../../src/kernel/usage.ts";
import type { TrailStep } from "../../../src/storage/records.ts";
import type { Database } from "../../../src/storage/schema.ts";
import { balanceOf } from "../figures.ts";
import type { Finding } from "../findings.ts";
import type { LedgerBooks } from "../ledger-books.ts";

/** Allowances of a lifetime have spent what the ledger says, and nothing is granted or in suspense. */
export async function auditAllowances(db: Kysely<Database>, { attempts }: LedgerBooks): Promise<Finding[]> {
  const charged = { money: 0n, tokens: 0n };
  for (const attempt of attempts.values()) {
    const { costNanoUsd, usage } = balanceOf(attempt);
    charged.money += costNanoUsd;
    charged.tokens += BigInt(totalInputTokens(usage) + totalOutputTokens(usage));
  }
  const spent = { money: 0n, tokens: 0n };
  const findings: Finding[] = [];
  const accounts = await db
    .selectFrom("allowance_accounts")
    .innerJoin("allowances", "allowances.id", "allowance_accounts.allowance_id")
    .select(["name", "meter", "spent_amount", "granted_amount", "suspense_amount"])
    .execute();
  for (const { name, meter, spent_amount, granted_amount, suspense_amount } of accounts) {
    if (meter === "money" || meter === "tokens") spent[meter] += spent_amount;
    if (granted_amount !== 0n || suspense_amount !== 0n) {
      const detail = `${name}: ${granted_amount} granted, ${suspense_amount} in suspense`;
      findings.push({ rule: "an allowance was not given back", detail });
    }
  }
  for (const meter of ["money", "tokens"] as const) {
    if (spent[meter] === charged[meter]) continue;
    const detail = `${meter}: ${spent[meter]} spent, ${charged[meter]} charged`;
    findings.push({ rule: "allowances and ledger differ", detail });
  }
  return findings;
}

/** How many requests were served in which unusual way; each has to be there, or nothing is shown of it. */
export type Ways = Readonly<Record<(typeof ways)[number], number>>;

export const ways = [
  "rescued by another call",
  "continued",
  "raced and another won",
  "joined another",
  "replayed by its key",
  "given from the cache",
  "given from the cache in other words",
  "waited in a queue",
] as const;

/** Longer than it takes to be let through at once. */
const WAITED_US = 20_000;

export async function countWays(db: Kysely<Database>): Promise<Ways> {
  const counts = Object.fromEntries(ways.map((way) => [way, 0])) as Record<(typeof ways)[number], number>;
  const rows = await db
    .selectFrom("requests")
    .select(["trail", "reuse", "queue_us", "ending", "model_asked"])
    .execute();
  for (const { trail, reuse, queue_us, ending, model_asked } of rows) {
    const steps = trail === null ? [] : (JSON.parse(trail) as TrailStep[]);
    const won = ending === "complete";
    if (won && steps.some(({ outcome }) => outcome === "failed")) counts["rescued by another call"]++;
    if (steps.some(({ outcome }) => outcome === "continued")) counts["continued"]++;
    if (won && steps.some(({ outcome }) => outcome === "cancelled")) counts["raced and another won"]++;
    if (reuse === "joined") counts["joined another"]++;
    if (reuse === "replayed") counts["replayed by its key"]++;
    if (reuse === "hit") counts["given from the cache"]++;
    if (reuse === "semantic") counts["given from the cache in other words"]++;
    if (model_asked === "narrow" && (queue_us ?? 0) > WAITED_US) counts["waited in a queue"]++;
  }
  return counts;
}
