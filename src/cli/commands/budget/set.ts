/** Changing an allowance that is there. */
import type { Operation } from "../../../dialects/dialect.ts";
import { HeadgateError } from "../../../kernel/errors.ts";
import type { Allowance, AllowanceMode, EstimatePolicy } from "../../../limits/allowance.ts";
import { regimeOf } from "../../../limits/allowance.ts";
import { listAccounts } from "../../../limits/operations/accounts.ts";
import { parseAmount } from "../../../limits/operations/amounts.ts";
import { type AllowanceChange, setAllowance, setAllowanceDisabled } from "../../../limits/operations/change.ts";
import { findAllowance } from "../../../limits/operations/operations.ts";
import type { Invocation } from "../../command.ts";
import { type ExitCode, exitCodes } from "../../exit-codes.ts";
import { openExistingRecords, type Records } from "../../workspace.ts";
import { readNames } from "../tenancy/names.ts";
import { noteOnSmallLimit } from "./admission-note.ts";
import { describeAllowance, renderTerms } from "./describe.ts";
import { type BudgetNameOptions, referenceOf } from "./reference.ts";

export interface BudgetSetOptions extends BudgetNameOptions {
  readonly limit: string | null;
  /** `none` takes it away. */
  readonly burst: string | null;
  readonly models: readonly string[] | null;
  readonly operation: Operation | "all" | null;
  readonly mode: AllowanceMode | null;
  readonly policy: EstimatePolicy | null;
  readonly alerts: readonly number[] | null;
  readonly rename: string | null;
}

/** More accounts than these are not looked through for what a lowered limit stops. */
const ACCOUNTS_LOOKED_AT = 10_000;

export async function set(invocation: Invocation<BudgetSetOptions>): Promise<ExitCode> {
  await using records = openExistingRecords(invocation);
  const before = await findAllowance(records.db, await referenceOf(records.db, invocation.options));
  const change = readChange(before, invocation.options);
  if (Object.keys(change).length === 0) {
    throw new HeadgateError(
      "invalid_argument",
      "Say what to change: `headgate budget set --help` shows what there is.",
    );
  }
  const allowance = await setAllowance(records, { tenantId: null, allowance: before.id }, change);
  const exhausted = await countExhausted(records, allowance);
  const names = await readNames(records.db);
  const note = noteOnSmallLimit(allowance);
  if (note !== null) invocation.output.note(note);
  invocation.output.result({ ...describeAllowance(allowance, names), exhaustedAccounts: exhausted }, () => {
    const sentence = `Changed ${allowance.name}: ${renderTerms(allowance, names)}.\n`;
    const isOtherLimit = allowance.limit !== before.limit || allowance.burst !== before.burst;
    return exhausted === 0 || !isOtherLimit ? sentence : sentence + renderExhausted(allowance, exhausted);
  });
  return exitCodes.ok;
}

export function disable(invocation: Invocation<BudgetNameOptions>): Promise<ExitCode> {
  return setDisabled(invocation, true, "Disabled NAME: it limits nothing from the next request on.");
}

export function enable(invocation: Invocation<BudgetNameOptions>): Promise<ExitCode> {
  return setDisabled(invocation, false, "Enabled NAME: it limits again from the next request on.");
}

async function setDisabled(
  invocation: Invocation<BudgetNameOptions>,
  disabled: boolean,
  sentence: string,
): Promise<ExitCode> {
  await using records = openExistingRecords(invocation);
  const reference = await referenceOf(records.db, invocation.options);
  const allowance = await setAllowanceDisabled(records, reference, disabled);
  const names = await readNames(records.db);
  const told = sentence.replace("NAME", allowance.name);
  invocation.output.result(describeAllowance(allowance, names), () => `${told}\n`);
  return exitCodes.ok;
}

function readChange({ meter }: Allowance, options: BudgetSetOptions): AllowanceChange {
  const { limit, burst, models, operation, mode, policy, alerts, rename } = options;
  return {
    ...(rename === null ? {} : { name: rename }),
    ...(limit === null ? {} : { limit: parseAmount(meter, limit, "--limit") }),
    ...(burst === null ? {} : { burst: burst === "none" ? null : parseAmount(meter, burst, "--burst") }),
    ...(models === null ? {} : { models }),
    ...(operation === null ? {} : { operation: operation === "all" ? null : operation }),
    ...(mode === null ? {} : { mode }),
    ...(policy === null ? {} : { policy }),
    ...(alerts === null ? {} : { alertPercents: alerts }),
  };
}

async function countExhausted(records: Records, allowance: Allowance): Promise<number> {
  const query = { nowMs: records.clock.wallMs(), past: false, limit: ACCOUNTS_LOOKED_AT };
  const { accounts } = await listAccounts(records.db, allowance, query);
  return accounts.filter(({ available }) => available <= 0n).length;
}

function renderExhausted(allowance: Allowance, exhausted: number): string {
  const until = {
    slots: "until requests end or it is raised",
    rate: "until enough time has passed or it is raised",
    budget: allowance.window === "lifetime" ? "until it is raised" : "until the window ends or it is raised",
  }[regimeOf(allowance.meter, allowance.window)];
  const which = exhausted === 1 ? "One account has" : `${exhausted} accounts have`;
  const effect = allowance.mode === "enforce" ? "Nothing new is admitted there" : "Its mode admits more there anyway";
  return `${which} used or granted the limit already. ${effect}, ${until}; what is spent or held stays.\n`;
}
