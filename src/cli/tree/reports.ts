/** What the gateway can serve, what it served, and what that cost. */
import { usageDimensions } from "../../storage/reports/usage-report.ts";
import { command, type CommandNode, type Parameter } from "../command.ts";
import type { ModelsOptions } from "../commands/reports/models.ts";
import type { ReconcileOptions } from "../commands/reports/reconcile.ts";
import type { RequestsOptions } from "../commands/reports/requests.ts";
import type { UsageExportOptions } from "../commands/reports/usage-export.ts";
import type { UsageOptions } from "../commands/reports/usage.ts";
import { choice, flag, optionalText, parsed, whole, words } from "../parameters.ts";
import { type Moment, momentNotation, parseMoment } from "../values/moment.ts";
import { endings, parseStatusRange, statusNotation } from "../values/status.ts";

const since: Parameter<Moment | null> = moment("--since <when>", "Only from then on");
const until: Parameter<Moment | null> = moment("--until <when>", "Only before then");

export const modelsCommand: CommandNode = command<ModelsOptions>({
  name: "models",
  purpose: "List the names that callers may ask for, with what they cost.",
  parameters: {
    match: optionalText("[text]", "Only names that contain this text."),
  },
  configFlags: "all",
  examples: [
    { line: "models", what: "Aliases, then every known provider/model" },
    { line: "models claude", what: "Those with claude in the name" },
    { line: "models --json", what: "As JSON" },
  ],
  json: "`models`, each with `id`, `kind` (alias or model), `targets`, `fallbacks`, `description`, `price` (`version`, and dollars per million tokens: `input`, `output`, `cacheRead`) or null, and `contextTokens` or null.",
  load: async () => (await import("../commands/reports/models.ts")).run,
});

const reconcileCommand: CommandNode = command<ReconcileOptions>({
  name: "reconcile",
  purpose: "Ask providers what calls used that were charged by estimate, and correct the ledger.",
  details:
    "Only some providers can say. Entries are never edited: the signed difference is appended, so doing it twice changes\nnothing. `pending`: no record there yet, ask again later; `unknown`: the call has no id that the provider knows.",
  parameters: { provider: optionalText("--provider <name>", "Only this provider. Default: all that can say.") },
  configFlags: "place",
  examples: [
    { line: "usage reconcile", what: "Ask every provider that can say" },
    { line: "usage reconcile --provider openrouter --json", what: "Ask one, for a script" },
  ],
  json: "`providers`, each with `provider`, `corrected`, `pending`, `unknown`, `overtaken` (somebody else corrected it meanwhile), `failed` and `differenceUsd` (signed decimal text).",
  load: async () => (await import("../commands/reports/reconcile.ts")).run,
});

/** Of what a usage report is about. */
const scope = {
  since,
  until,
  tenant: optionalText("--tenant <tenant>", "Only this tenant, by name or id."),
  project: optionalText("--project <project>", "Only this project, by name or id."),
  key: optionalText("--key <key>", "Only this key, by id, visible prefix or name."),
  provider: optionalText("--provider <name>", "Only this provider, by its name in the configuration."),
  model: optionalText("--model <provider/model>", "Only this model, as it was served."),
};

const exportCommand: CommandNode = command<UsageExportOptions>({
  name: "export",
  purpose: "Write usage and cost for other programs: FOCUS columns, CSV or lines of JSON.",
  details:
    "Written as it is read, however long the time asked for. Costs are dollars as exact decimals; a correction is in the\nperiod in which it was made.",
  parameters: {
    format: choice(
      "--format <format>",
      "focus: CSV in the columns of the FinOps specification; csv: as usage --csv; json: a line of JSON for each row. Default: focus.",
      ["focus", "csv", "json"],
    ),
    by: words("--by <list>", `What to tell apart: one or more of ${usageDimensions.join(", ")}.`, usageDimensions, [
      "day",
      "tenant",
      "project",
      "key",
      "provider",
      "model",
      "operation",
    ]),
    ...scope,
  },
  configFlags: "place",
  examples: [
    { line: "usage export --since 2026-11-01 --until 2026-12-01", what: "A month for finance, by day" },
    { line: "usage export --by hour,project,model --format csv --since 7d", what: "Hours of the last week" },
    { line: "usage export --format json --since 30d", what: "For a program" },
  ],
  json: "The same as `--format json`: for each row a line with `group`, `requests`, `attempts`, `usage`, `costUsd`, `unpriced` and `bases`.",
  load: async () => (await import("../commands/reports/usage-export.ts")).run,
});

export const usageCommand: CommandNode = command<UsageOptions>({
  name: "usage",
  purpose: "Show what was used and what it cost, to the nano-dollar.",
  details:
    "Every attempt at a provider counts, retried and failed ones too; a request counts once, where its last attempt went.\nInput is what no cache served. A row's cost is exact and includes later corrections. Times are UTC.",
  parameters: {
    by: words("--by <list>", `What to group by: one or more of ${usageDimensions.join(", ")}.`, usageDimensions, [
      "model",
    ]),
    ...scope,
    csv: flag("--csv", "Print CSV with a heading line, for spreadsheets."),
  },
  configFlags: "place",
  examples: [
    { line: "usage", what: "Everything, by model" },
    { line: "usage --by tenant,project --since 30d", what: "Who spent what in the last thirty days" },
    { line: "usage --by month,model --since 2026-01-01", what: "The year so far" },
    { line: "usage --by day,model --since 2026-11-01 --csv", what: "For a spreadsheet" },
  ],
  json: "`by`, `since`, `until`, `rows`, `total` and `saved` (`requests` that were answered without a call, and `usd`). Each row has `group`, `requests`, `attempts`, `usage` (a count for each bucket), `costUsd` (decimal text; `costEUR` besides, where EUR is the configured currency), `unpriced` and `bases` (how many attempts were settled how).",
  commands: [reconcileCommand, exportCommand],
  load: async () => (await import("../commands/reports/usage.ts")).run,
});

export const requestsCommand: CommandNode = command<RequestsOptions>({
  name: "requests",
  purpose: "Show recent requests, newest first: who asked for what, how it ended, and what it took.",
  parameters: {
    limit: whole("--limit <number>", "At most so many. Default: 20.", 1, 10_000, 20),
    status: parsed(
      "--status <status>",
      `Only with this HTTP status: ${statusNotation}.`,
      statusNotation,
      parseStatusRange,
    ),
    ending: choice("--ending <ending>", `Only with this ending: ${endings.join(", ")}.`, endings),
    since,
    until,
    tenant: optionalText("--tenant <tenant>", "Only of this tenant, by name or id."),
    key: optionalText("--key <key>", "Only of this key, by id, visible prefix or name."),
    model: optionalText("--model <provider/model>", "Only of this model, as it was served."),
  },
  configFlags: "place",
  examples: [
    { line: "requests", what: "The last twenty" },
    { line: "requests --status 5xx --since 1h", what: "What failed in the last hour" },
    { line: "requests --ending truncated --limit 100 --json", what: "Broken streams, every field" },
  ],
  json: "`requests`, each with every field of the record: ids, names, `status`, `ending`, `usage`, `costUsd`, and times in microseconds.",
  load: async () => (await import("../commands/reports/requests.ts")).run,
});

function moment(syntax: string, what: string): Parameter<Moment | null> {
  return parsed(syntax, `${what}: ${momentNotation}.`, momentNotation, parseMoment);
}
