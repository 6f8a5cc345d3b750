/**
 * What an allowance may say. A change merges into what was said before and is then checked as a whole, so that no order
 * of changes reaches a state that could not be created.
 */
import { type Allowance, type Regime, regimeOf } from "../allowance.ts";
import { checkAmount } from "./amounts.ts";
import { refuse } from "./refusals.ts";
import { checkTimeZone } from "./time-zones.ts";
import { checkWord, meters, modes, operations, policies, windows } from "./words.ts";

/** An allowance without its place and its life. */
export type AllowanceTerms = Omit<Allowance, "id" | "scope" | "createdAtMs" | "disabledAtMs">;

const NAME = /^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$/;
const ID = /^(?:alw|ovr|key|prj|ten)_/;
const PATTERNS_MAX = 100;
const PATTERN_CHARS_MAX = 256;
const ALERTS_MAX = 20;
const ALERT_PERCENT_MAX = 1000;

/** Throws `invalid_argument` with the first thing that is wrong. */
export function checkTerms(terms: AllowanceTerms): void {
  checkName(terms.name);
  checkWord("meter", terms.meter, meters);
  checkWord("window", terms.window, windows);
  checkWord("mode", terms.mode, modes);
  checkWord("policy", terms.policy, policies);
  if (terms.operation !== null) checkWord("operation", terms.operation, operations);
  checkAmount(terms.meter, terms.limit, "limit");
  checkWindow(terms);
  checkBurst(terms);
  checkPolicy(terms);
  checkModels(terms.models);
  checkAlerts(terms);
}

/** The regime as a person would say it. */
export function describeRegime({ meter, window }: Pick<Allowance, "meter" | "window">): string {
  const names: Readonly<Record<Regime, string>> = {
    slots: "an allowance of slots",
    rate: `a rate of ${meter} per ${window}`,
    budget: window === "lifetime" ? `a budget of ${meter} for a lifetime` : `a budget of ${meter} per ${window}`,
  };
  return names[regimeOf(meter, window)];
}

/** Whether its windows depend on a time zone: those of minutes and hours do not. */
export function hasTimeZone(terms: Pick<Allowance, "meter" | "window">): boolean {
  return hasCalendarWindows(terms) && terms.window !== "minute" && terms.window !== "hour";
}

/** Whether its books begin anew with each calendar window. */
export function hasCalendarWindows({ meter, window }: Pick<Allowance, "meter" | "window">): boolean {
  return regimeOf(meter, window) === "budget" && window !== "lifetime";
}

function checkName(name: string): void {
  if (NAME.test(name) && !ID.test(name)) return;
  throw refuse(
    "name",
    `${JSON.stringify(name)} cannot be the name of an allowance. A name begins with a letter or digit, has at most 63 letters, ` +
      'digits, ".", "_" or "-", and does not begin like an id ("alw_", "ovr_", "key_", …).',
  );
}

function checkWindow(terms: AllowanceTerms): void {
  if (terms.meter === "slots" && terms.window !== "lifetime") {
    throw refuse("window", `Slots are held at the same time, not per ${terms.window}. Leave the window out.`);
  }
  checkTimeZone(terms.timeZone);
}

function checkBurst(terms: AllowanceTerms): void {
  if (terms.burst === null) return;
  if (regimeOf(terms.meter, terms.window) !== "rate") {
    const message = `A burst is for rates (requests or tokens per minute or hour); this is ${describeRegime(terms)}. Leave the burst out.`;
    throw refuse("burst", message);
  }
  checkAmount(terms.meter, terms.burst, "burst");
  if (terms.burst === 0n)
    throw refuse("burst", "A burst of 0 would never admit anything. To do that, set the limit to 0.");
}

function checkPolicy({ meter, policy }: AllowanceTerms): void {
  if (policy === "expected" || meter === "money" || meter === "tokens") return;
  throw refuse(
    "policy",
    `Policy strict is for money and tokens: a request counts as one of ${meter}, whatever it uses.`,
  );
}

function checkModels(models: readonly string[] | null): void {
  if (models === null) return;
  if (models.length === 0)
    throw refuse("models", "An empty list of models would fit none. Name models, or leave them out.");
  if (models.length > PATTERNS_MAX)
    throw refuse("models", `At most ${PATTERNS_MAX} patterns of models, not ${models.length}.`);
  if (models.some((pattern) => pattern === "" || pattern.length > PATTERN_CHARS_MAX)) {
    throw refuse("models", `A pattern of models has 1 to ${PATTERN_CHARS_MAX} characters.`);
  }
}

function checkAlerts(terms: AllowanceTerms): void {
  const percents = terms.alertPercents;
  if (percents.length === 0) return;
  if (regimeOf(terms.meter, terms.window) !== "budget") {
    throw refuse(
      "alerts",
      `Alerts are for budgets; ${describeRegime(terms)} frees itself again. Leave the alerts out.`,
    );
  }
  if (percents.some((percent) => !Number.isInteger(percent) || percent < 1 || percent > ALERT_PERCENT_MAX)) {
    throw refuse("alerts", `Alerts are at whole percents of the limit from 1 to ${ALERT_PERCENT_MAX}.`);
  }
  if (new Set(percents).size < percents.length) throw refuse("alerts", "The same percent is given twice.");
  if (percents.length > ALERTS_MAX) throw refuse("alerts", `At most ${ALERTS_MAX} alerts, not ${percents.length}.`);
}
