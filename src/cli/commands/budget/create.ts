import type { Operation } from "../../../dialects/dialect.ts";
import { HeadgateError } from "../../../kernel/errors.ts";
import type { AllowanceMode, AllowanceWindow, EstimatePolicy, Meter } from "../../../limits/allowance.ts";
import { parseAmount } from "../../../limits/operations/amounts.ts";
import { createAllowance } from "../../../limits/operations/create.ts";
import { meters, windows } from "../../../limits/operations/words.ts";
import type { Invocation } from "../../command.ts";
import { type ExitCode, exitCodes } from "../../exit-codes.ts";
import { loadSettings, openRecords } from "../../workspace.ts";
import { readNames } from "../tenancy/names.ts";
import { noteOnSmallLimit, noteOnUnpriced } from "./admission-note.ts";
import { describeAllowance, renderTerms } from "./describe.ts";
import { chooseScope, type ScopeOptions } from "./scope.ts";

/** One of the meters has an amount, as it was written. */
export interface BudgetCreateOptions extends ScopeOptions, Readonly<Record<Meter, string | null>> {
  readonly name: string;
  readonly per: AllowanceWindow | null;
  readonly timeZone: string | null;
  readonly burst: string | null;
  readonly models: readonly string[] | null;
  readonly operation: Operation | null;
  readonly mode: AllowanceMode | null;
  readonly policy: EstimatePolicy | null;
  readonly alerts: readonly number[] | null;
}

export async function create(invocation: Invocation<BudgetCreateOptions>): Promise<ExitCode> {
  const { options, output } = invocation;
  const { meter, limit } = chooseMeter(options);
  const window = chooseWindow(meter, options.per);
  const burst = options.burst === null ? null : parseAmount(meter, options.burst, "--burst");
  await using records = openRecords(invocation);
  const allowance = await createAllowance(records, {
    name: options.name,
    scope: await chooseScope(records, options),
    meter,
    limit,
    window,
    timeZone: options.timeZone,
    burst,
    models: options.models,
    operation: options.operation,
    mode: options.mode ?? "enforce",
    policy: options.policy ?? "expected",
    alertPercents: options.alerts ?? [],
  });
  const names = await readNames(records.db);
  for (const note of [noteOnSmallLimit(allowance), noteOnUnpriced(allowance, loadSettings(invocation).config.prices)]) {
    if (note !== null) output.note(note);
  }
  output.result(
    describeAllowance(allowance, names),
    () => `Created ${allowance.name} (${allowance.id}): ${renderTerms(allowance, names)}.\n`,
  );
  return exitCodes.ok;
}

function chooseMeter(options: BudgetCreateOptions): { readonly meter: Meter; readonly limit: bigint } {
  const [first, second] = meters.flatMap((meter) => {
    const text = options[meter];
    return text === null ? [] : [{ meter, text }];
  });
  const flags = meters.map((meter) => `--${meter}`);
  if (first === undefined) {
    throw new HeadgateError("invalid_argument", `Say what is limited, and to how much: one of ${flags.join(", ")}.`, {
      param: flags.join(", "),
    });
  }
  if (second !== undefined) {
    const message = `One allowance limits one thing, not --${first.meter} and --${second.meter}. Create two.`;
    throw new HeadgateError("invalid_argument", message, { param: `--${second.meter}` });
  }
  return { meter: first.meter, limit: parseAmount(first.meter, first.text, `--${first.meter}`) };
}

/** Slots alone have no window; for everything else it is too important to be guessed. */
function chooseWindow(meter: Meter, given: AllowanceWindow | null): AllowanceWindow {
  if (given !== null) return given;
  if (meter === "slots") return "lifetime";
  const message = `Say for how long the limit of ${meter} counts: --per with one of ${windows.join(", ")}.`;
  throw new HeadgateError("invalid_argument", message, { param: "--per" });
}
