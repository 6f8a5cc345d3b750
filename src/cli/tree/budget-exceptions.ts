/** What is out of the ordinary with allowances: overrides, amounts in suspense, alerts. */
import { amountNotation } from "../../limits/operations/amounts.ts";
import { suspenseDecisions } from "../../limits/operations/suspense-decision.ts";
import { command, type CommandNode } from "../command.ts";
import type { AlertsOptions } from "../commands/budget/alerts.ts";
import type { OverrideOptions, OverrideRevokeOptions, OverridesOptions } from "../commands/budget/overrides.ts";
import type { SuspenseOptions, SuspenseResolveOptions } from "../commands/budget/suspense.ts";
import { choice, flag, optionalText, parsed, text, whole } from "../parameters.ts";

const overrideJson =
  "`id`, `allowance`, `from`, `until`, `unit`, `limit`, `createdAt`, `revokedAt`. It holds for the windows that begin from `from` on and before `until`.";

const allowance = text("<allowance>", "Name or id of the allowance.");
const tenant = optionalText(
  "--tenant <tenant>",
  "Name or id of the tenant. Needed only where several have an allowance of that name.",
);
const oneAllowance = optionalText("[allowance]", "Only of this allowance, by name or id.");
const oneTenant = optionalText("--tenant <tenant>", "Only of this tenant, by name or id.");
export const overrideCommand: CommandNode = command<OverrideOptions>({
  name: "override",
  purpose: "Set another limit for the current window of a budget, or for the next ones.",
  parameters: {
    allowance,
    tenant,
    limit: text("--limit <amount>", `The other limit: ${amountNotation}.`),
    next: parsed(
      "--next <number>",
      "For so many windows after the current one. Default: for the current one.",
      "a whole number from 1 to 1000",
      parseWindows,
    ),
  },
  configFlags: "place",
  examples: [
    { line: "budget override monthly --limit 250", what: "More for the rest of this month" },
    { line: "budget override monthly --limit 50 --next 3", what: "Less for the three months after it" },
  ],
  json: overrideJson,
  load: async () => (await import("../commands/budget/overrides.ts")).create,
});

export const overridesCommand: CommandNode = command<OverridesOptions>({
  name: "overrides",
  purpose: "List overrides of limits.",
  parameters: {
    allowance: oneAllowance,
    tenant: oneTenant,
    all: flag("--all", "Also those that are over or revoked."),
  },
  configFlags: "place",
  examples: [
    { line: "budget overrides", what: "Those that hold now or will" },
    { line: "budget overrides monthly --all --json", what: "Every one there was of an allowance" },
  ],
  json: `\`overrides\`, each with ${overrideJson}`,
  commands: [
    command<OverrideRevokeOptions>({
      name: "revoke",
      purpose: "Take an override back: the usual limit counts again, at once.",
      parameters: { override: text("<override>", "Id of the override.") },
      configFlags: "place",
      examples: [
        { line: "budget overrides revoke ovr_01k0000000abcdefghjkmnpqrs", what: "As `budget overrides` shows it" },
      ],
      json: overrideJson,
      load: async () => (await import("../commands/budget/overrides.ts")).revoke,
    }),
  ],
  load: async () => (await import("../commands/budget/overrides.ts")).list,
});

export const suspenseCommand: CommandNode = command<SuspenseOptions>({
  name: "suspense",
  purpose: "List what was granted to processes that are gone and not explained yet.",
  details:
    "It is neither available nor spent. A process that comes back explains it by itself, as does the next start on a data\nfolder whose process died. What stays is for an operator to decide.",
  parameters: {
    allowance: oneAllowance,
    tenant: oneTenant,
    decided: flag("--decided", "Show what was decided before instead."),
  },
  configFlags: "place",
  examples: [
    { line: "budget suspense", what: "Of all allowances" },
    { line: "budget suspense --decided", what: "Decisions, with their reasons" },
  ],
  json: "`suspended`, each with `allowance`, `account`, `subject`, `unit`, `amount`, `owner`, `instance` and `since`, and `decided`, each with `id`, `decision`, `reason` and `decidedAt` instead of the last two.",
  commands: [
    command<SuspenseResolveOptions>({
      name: "resolve",
      purpose: "Decide, for good, what becomes of what is in suspense of an allowance.",
      details: "For a process that will not come back. The decision is kept and never changed.",
      parameters: {
        allowance,
        tenant,
        decision: choice(
          `--decision <${suspenseDecisions.join("|")}>`,
          "release: it was not spent and is available again; spend: it counts as spent.",
          suspenseDecisions,
        ),
        reason: text("--reason <text>", "Why, for whoever reads the list later."),
        owner: optionalText(
          "--owner <owner>",
          "Only what this owner left, as `budget suspense` shows it. Default: all.",
        ),
      },
      configFlags: "place",
      examples: [
        {
          line: "budget suspense resolve monthly --decision spend --reason 'disk of gw-3 lost'",
          what: "Count everything that is in suspense as spent",
        },
      ],
      json: "`decided`, each with `id`, `allowance`, `account`, `subject`, `unit`, `amount`, `owner`, `decision`, `reason` and `decidedAt`.",
      load: async () => (await import("../commands/budget/suspense.ts")).resolve,
    }),
  ],
  load: async () => (await import("../commands/budget/suspense.ts")).list,
});

export const alertsCommand: CommandNode = command<AlertsOptions>({
  name: "alerts",
  purpose: "List thresholds that were passed, newest first, and whether the webhook was told.",
  parameters: {
    allowance: oneAllowance,
    tenant: oneTenant,
    limit: whole("--limit <number>", "At most so many. Default: 50.", 1, 10_000, 50),
  },
  configFlags: "place",
  examples: [
    { line: "budget alerts", what: "The last fifty" },
    { line: "budget alerts monthly --json", what: "Of one allowance, every field" },
  ],
  json: "`alerts`, each with `id`, `tenant`, `allowance`, `account`, `subject`, `windowStart`, `windowEnd`, `percent`, `unit`, `spent`, `limit`, `raisedAt` and `webhook` (`state`, `tries`, `deliveredAt`, `nextTryAt`, `lastFailure`).",
  load: async () => (await import("../commands/budget/alerts.ts")).list,
});

function parseWindows(given: string): number | undefined {
  const count = /^[0-9]{1,4}$/.test(given) ? Number(given) : 0;
  return count >= 1 && count <= 1000 ? count : undefined;
}
