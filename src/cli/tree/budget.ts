/** Allowances: what may be used, what was, and what to do about it. */
import { amountNotation } from "../../limits/operations/amounts.ts";
import { modes, operations, policies, windows } from "../../limits/operations/words.ts";
import { command, type CommandNode, group, type GroupNode } from "../command.ts";
import type { BudgetCreateOptions } from "../commands/budget/create.ts";
import type { BudgetListOptions } from "../commands/budget/list.ts";
import type { BudgetNameOptions } from "../commands/budget/reference.ts";
import type { BudgetSetOptions } from "../commands/budget/set.ts";
import type { BudgetShowOptions } from "../commands/budget/show.ts";
import { choice, flag, optionalText, text, whole } from "../parameters.ts";
import { patterns } from "../values/pairs.ts";
import { percents } from "../values/percents.ts";
import { alertsCommand, overrideCommand, overridesCommand, suspenseCommand } from "./budget-exceptions.ts";

const allowanceJson =
  "`id`, `name`, `state` (enabled or disabled), `tenant`, `scope` (`kind`, `each`, `project`, `key`, `endUser`), `meter`, `unit`, `limit`, `window`, `timeZone`, `burst`, `models`, `operation`, `mode`, `policy`, `alerts`, `createdAt`, `disabledAt`. Amounts are decimal text in the unit.";

const allowance = text("<allowance>", "Name or id of the allowance.");
const tenant = optionalText(
  "--tenant <tenant>",
  "Name or id of the tenant. Needed only where several have an allowance of that name.",
);
const oneTenant = optionalText("--tenant <tenant>", "Only of this tenant, by name or id.");
const models = patterns(
  "--models <patterns>",
  "Models it counts, as they are asked for or as provider/model, separated by commas; * stands for any characters.",
);
const mode = choice(
  `--mode <${modes.join("|")}>`,
  "enforce refuses, soft only warns, shadow counts what it would refuse. Default: enforce.",
  modes,
);
const policy = choice(
  `--policy <${policies.join("|")}>`,
  "What a request holds of money or tokens: expected, input and a slice of output at a time; strict, the most it can use. Default: expected.",
  policies,
);
const changedOperations = [...operations, "all"] as const;

const createCommand: CommandNode = command<BudgetCreateOptions>({
  name: "create",
  purpose: "Limit money, tokens, requests, or how many requests run at once.",
  details:
    "Whom it counts follows from the narrowest of --project, --key and --end-user; without any it is the tenant as a whole.\nRequests and tokens per minute or hour are rates, refused with 429; all other windows are budgets, refused with 402.",
  parameters: {
    name: text("<name>", "Unique within the tenant; callers see it when it refuses them."),
    tenant: optionalText("--tenant <tenant>", "Name or id of the tenant. Default: the only one there is."),
    project: optionalText("--project <project>", "Only this project, by name or id; each: every project apart."),
    key: optionalText("--key <key>", "Only this key, by id, visible prefix or name; each: every key apart."),
    endUser: optionalText("--end-user <name>", "Only this end user, as callers name it; each: every end user apart."),
    money: optionalText("--money <dollars>", "At most so many dollars, with up to nine decimals."),
    tokens: optionalText("--tokens <number>", "At most so many tokens, input and output: 500k, 2M."),
    requests: optionalText("--requests <number>", "At most so many requests."),
    slots: optionalText("--slots <number>", "At most so many requests at the same time."),
    per: choice(`--per <${windows.join("|")}>`, "For how long the limit counts. Left out for slots.", windows),
    timeZone: optionalText(
      "--time-zone <name>",
      "Where days, weeks and months begin, such as Europe/Berlin. Default: UTC.",
    ),
    burst: optionalText("--burst <amount>", "Of a rate: the most at once. Default: the limit itself."),
    models,
    operation: choice(`--operation <${operations.join("|")}>`, "Only this operation.", operations),
    mode,
    policy,
    alerts: percents("--alert <percents>", "Tell the operator when so many percent of a budget are spent: 80,100."),
  },
  configFlags: "place",
  examples: [
    {
      line: "budget create monthly --money 100 --per month --time-zone Europe/Berlin --alert 80,100",
      what: "A hundred dollars a calendar month for the only tenant",
    },
    {
      line: "budget create rpm --requests 60 --per minute --burst 10 --key each",
      what: "Sixty requests a minute for every key, at most ten at once",
    },
    {
      line: "budget create trial --tokens 1M --per day --end-user each",
      what: "A million tokens a day for every end user",
    },
    { line: "budget create parallel --slots 8 --project search", what: "Eight requests at a time for one project" },
  ],
  json: allowanceJson,
  load: async () => (await import("../commands/budget/create.ts")).create,
});

const listCommand: CommandNode = command<BudgetListOptions>({
  name: "list",
  purpose: "List allowances, of all tenants or of one.",
  parameters: { tenant: oneTenant },
  configFlags: "place",
  examples: [
    { line: "budget list", what: "Of all tenants" },
    { line: "budget list --tenant acme --json", what: "Of acme, as JSON" },
  ],
  json: `\`allowances\`, each with ${allowanceJson}`,
  load: async () => (await import("../commands/budget/list.ts")).list,
});

const showCommand: CommandNode = command<BudgetShowOptions>({
  name: "show",
  purpose: "Show what was used of an allowance, account by account, and what will be.",
  details:
    "Granted is in the hands of gateway processes; of that, requests in flight hold what is held. Suspense was granted to a\nprocess that is gone. The forecast goes on as spending has since the window's start.",
  parameters: {
    allowance,
    tenant,
    past: flag("--past", "Also windows that have ended."),
    limit: whole("--limit <number>", "At most so many accounts. Default: 50.", 1, 10_000, 50),
  },
  configFlags: "place",
  examples: [
    { line: "budget show monthly", what: "The current window" },
    { line: "budget show monthly --past --json", what: "Every window there was, as JSON" },
  ],
  json: `${allowanceJson.replace(" Amounts", " Besides, `overrides`, `accountCount` and `accounts`, each with `id`, `subject`, `windowStart`, `windowEnd`, `limit`, `spent`, `held` (null where it is not known), `granted`, `suspense`, `available`, `refusals`, `forecast` and `runsOutAt`. Amounts")}`,
  load: async () => (await import("../commands/budget/show.ts")).show,
});

const setCommand: CommandNode = command<BudgetSetOptions>({
  name: "set",
  purpose: "Change an allowance, at once and in every process.",
  details:
    "What is not given stays. Whom it counts, what, and for how long cannot be changed: create another. A limit below what is\nspent or held takes nothing back; nothing new is admitted until there is room.",
  parameters: {
    allowance,
    tenant,
    limit: optionalText("--limit <amount>", `The new limit: ${amountNotation}.`),
    burst: optionalText("--burst <amount>", "Of a rate: the most at once; none: the limit itself."),
    models,
    operation: choice(
      `--operation <${changedOperations.join("|")}>`,
      "Only this operation, or all.",
      changedOperations,
    ),
    mode: { ...mode, doc: "enforce refuses, soft only warns, shadow counts what it would refuse." },
    policy: {
      ...policy,
      doc: "What a request holds: expected, a slice of output at a time; strict, the most it can use.",
    },
    alerts: percents("--alert <percents>", "Tell the operator at these percents instead: 80,100, or none."),
    rename: optionalText("--rename <name>", "Another name; id and books stay."),
  },
  configFlags: "place",
  examples: [
    { line: "budget set monthly --limit 150", what: "Raise it" },
    { line: "budget set rpm --limit 0", what: "Admit nothing any more" },
    { line: "budget set monthly --mode soft --alert none", what: "Only warn, and no longer tell of thresholds" },
  ],
  json: `${allowanceJson.replace(" Amounts", " Besides, `exhaustedAccounts`: in how many open accounts nothing is available now. Amounts")}`,
  load: async () => (await import("../commands/budget/set.ts")).set,
});

const disableCommand: CommandNode = command<BudgetNameOptions>({
  name: "disable",
  purpose: "Let an allowance limit nothing, from the next request on; its books stay.",
  parameters: { allowance, tenant },
  configFlags: "place",
  examples: [{ line: "budget disable rpm", what: "Without it until `headgate budget enable rpm`" }],
  json: allowanceJson,
  load: async () => (await import("../commands/budget/set.ts")).disable,
});

const enableCommand: CommandNode = command<BudgetNameOptions>({
  name: "enable",
  purpose: "Let a disabled allowance limit again.",
  parameters: { allowance, tenant },
  configFlags: "place",
  examples: [{ line: "budget enable rpm", what: "In force from the next request on" }],
  json: allowanceJson,
  load: async () => (await import("../commands/budget/set.ts")).enable,
});

export const budgetGroup: GroupNode = group("budget", "Manage allowances: who may use how much, and what was used.", [
  createCommand,
  listCommand,
  showCommand,
  setCommand,
  disableCommand,
  enableCommand,
  overrideCommand,
  overridesCommand,
  suspenseCommand,
  alertsCommand,
]);
