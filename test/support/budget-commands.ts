/** What the suites of `headgate budget` share: a command line on a clock of the test's own, and ways to use an allowance up. */
import { join } from "node:path";
import type { AllowanceWindow } from "../../src/limits/allowance.ts";
import { windowAt } from "../../src/storage/escrow/calendar.ts";
import { openDatabase } from "../../src/storage/storage.ts";
import { createTestBank } from "../contract/bank-place.ts";
import { accountOf } from "../contract/bank-samples.ts";
import { settleMoves } from "../contract/bank-steps.ts";
import { createTestCli, type TestCli } from "./cli.ts";
import { createVirtualClock, type VirtualClock } from "./virtual-clock.ts";

export interface Document extends Readonly<Record<string, unknown>> {
  readonly id: string;
}

export interface AccountDocument extends Document {
  readonly subject: { readonly id: string; readonly name: string } | null;
  readonly spent: string;
}

export interface BudgetCommands extends Disposable {
  readonly cli: TestCli;
  readonly clock: VirtualClock;
}

/** A tenant `acme` with a project `search` and a key `alice`, on 2027-01-15 at noon. */
export async function openBudgetCommands(): Promise<BudgetCommands> {
  const clock = createVirtualClock(Date.UTC(2027, 0, 15, 12));
  const cli = createTestCli({ clock });
  await cli.run("tenant", "create", "acme");
  await cli.run("project", "create", "search");
  await cli.run("key", "create", "--name", "alice");
  return { cli, clock, [Symbol.dispose]: () => cli[Symbol.dispose]() };
}

/** The words of a command line without quotes. */
export function args(line: string): string[] {
  return line.split(" ");
}

export interface Use {
  readonly drawn: bigint;
  readonly settled: bigint;
  readonly subject?: string;
  readonly window?: AllowanceWindow;
  /** The process dies: its lease ends unexplained. */
  readonly dies?: boolean;
}

/** A gateway process draws so much of an allowance and settles so much of it. Resolves with its owner's id. */
export async function useBudget({ cli, clock }: BudgetCommands, allowanceId: string, use: Use): Promise<string> {
  const db = openDatabase({ dataDir: join(cli.folder, ".headgate"), durability: "process" });
  const bank = createTestBank(db, {
    get nowMs() {
      return clock.wallMs();
    },
  });
  const { drawn, settled, subject = "", window = "lifetime" } = use;
  const span = window === "lifetime" ? undefined : windowAt(window, "UTC", clock.wallMs());
  const account = accountOf(allowanceId, span, subject);
  const ownerId = `own_${allowanceId}_${subject}`;
  await bank.register(ownerId, "ins_1", 30_000);
  await bank.draw(ownerId, [{ account, sequence: 1, need: drawn, want: drawn, refusals: 0 }]);
  await settleMoves(db, [{ ownerId, accountId: account.accountId, fromGrant: settled, overdraft: 0n }]);
  if (use.dies === true) {
    clock.advance(31_000);
    await bank.reap();
  }
  await db.destroy();
  return ownerId;
}
