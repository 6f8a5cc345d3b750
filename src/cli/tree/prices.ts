/** What calls cost: looking it up, keeping it up to date, and rating again what was rated otherwise. */
import { command, group, type GroupNode, type Parameter } from "../command.ts";
import type { MissingOptions } from "../commands/prices/missing.ts";
import type { DiffOptions, UpdateOptions } from "../commands/prices/refresh.ts";
import type { RerateCommandOptions } from "../commands/prices/rerate.ts";
import type { ShowOptions } from "../commands/prices/show.ts";
import { flag, optionalText, parsed, text } from "../parameters.ts";
import { type Moment, momentNotation, parseMoment } from "../values/moment.ts";

const from = optionalText(
  "--from <path>",
  "Folder of an unpacked package of prices, or a file: another gateway's prices.json, or the source's data.json. Default: npm fetches the newest package.",
);

export const pricesGroup: GroupNode = group("prices", "Look up and refresh what calls cost, and rate calls again.", [
  command<ShowOptions>({
    name: "show",
    purpose: "Show what a model costs, by which version of the prices.",
    parameters: {
      model: text("<model>", "provider/model, an alias, or a model's name, which is looked up in every price list."),
      at: moment("--at <when>", "On that date, or so long from now. Default: now"),
      serviceTier: optionalText(
        "--service-tier <tier>",
        "At this service tier: flex, priority, batch. Default: standard.",
      ),
    },
    configFlags: "place",
    examples: [
      { line: "prices show openai/gpt-5", what: "What it costs now" },
      { line: "prices show openai/gpt-5 --service-tier flex", what: "At the flex tier" },
      { line: "prices show gpt-5-mini --at 2026-12-01", what: "At every provider that lists it, on a date" },
    ],
    json: "`at`, `serviceTier`, `catalogue` (`release` and `date`) and `prices`, each with `model`, `version`, `standIn` and `rates`: decimal text, or a list of it and `[more input tokens than, dollars]`.",
    load: async () => (await import("../commands/prices/show.ts")).run,
  }),
  command<MissingOptions>({
    name: "missing",
    purpose: "List models without a price: those configured, those called, and those of the price lists.",
    details: "The exit code is 5 if a configured model has none, or calls were made without one.",
    parameters: { since: moment("--since <when>", "Calls only from then on") },
    configFlags: "place",
    examples: [
      { line: "prices missing", what: "Everything that has no price" },
      { line: "prices missing --since 7d --json", what: "For a script" },
    ],
    json: "`configured` (names), `used`, each with `model`, `attempts` and `pricedNow`, and `listed`: names by provider.",
    load: async () => (await import("../commands/prices/missing.ts")).run,
  }),
  command<DiffOptions>({
    name: "diff",
    purpose: "Show which prices `prices update` would change.",
    parameters: { match: optionalText("[text]", "Only models whose list/name contains this text."), from },
    configFlags: "place",
    examples: [
      { line: "prices diff", what: "Against the newest package" },
      { line: "prices diff openai/gpt --from ./package", what: "Some models, against a package fetched elsewhere" },
    ],
    json: "`inUse` and `candidate` (`release` and `date`), and `changes`, each with `list`, `model`, `kind` (added, removed, price, names, context), `before` and `after`.",
    load: async () => (await import("../commands/prices/refresh.ts")).diff,
  }),
  command<UpdateOptions>({
    name: "update",
    purpose: "Take newer prices into the data folder, after checking them as a whole.",
    details:
      "Prices of the configuration still win. What was charged stays: see `prices rerate`. To go back to the prices of the\nrelease, remove prices.json from the data folder.",
    parameters: { from },
    configFlags: "place",
    examples: [
      { line: "prices update", what: "The newest package, fetched by npm" },
      { line: "prices update --from ./package", what: "A package fetched elsewhere" },
    ],
    json: "`inUse` (before), `candidate` (now), `file` and `changes` (how many).",
    load: async () => (await import("../commands/prices/refresh.ts")).update,
  }),
  command<RerateCommandOptions>({
    name: "rerate",
    purpose: "Rate calls of the past again by the prices of today, and correct the ledger by the difference.",
    details:
      "Entries are never edited: a correction names the price it is made by and the one it replaces, and doing it twice\nchanges nothing. What counts is the price of today for the moment of the call, so a price that changed without a\ndate changes what came before, too: look at --dry-run first.",
    parameters: {
      since: moment("--since <when>", "Only calls settled from then on"),
      until: moment("--until <when>", "Only calls settled before then"),
      provider: optionalText("--provider <name>", "Only this provider, by its name in the configuration."),
      model: optionalText("--model <provider/model>", "Only calls to this target, or served by a model of this name."),
      unpriced: flag("--unpriced", "Only calls that had no price."),
      dryRun: flag("--dry-run", "Show what would be appended, and append nothing."),
    },
    configFlags: "place",
    examples: [
      { line: "prices rerate --unpriced", what: "Give a price to what had none, once there is one" },
      {
        line: "prices rerate --since 2026-11-01 --model openai/gpt-5 --dry-run",
        what: "What a corrected price would change",
      },
      { line: "prices rerate --since 30d --json", what: "The last thirty days, for a script" },
    ],
    json: "`since`, `until`, `dryRun`, `examined`, `unchanged`, `unknown` (without a price today), `rerated`, `overtaken` (somebody else corrected them meanwhile), `differenceUsd` (signed decimal text), and `changes`, each with `model`, `from`, `to`, `attempts`, `beforeUsd` and `afterUsd`.",
    load: async () => (await import("../commands/prices/rerate.ts")).run,
  }),
]);

function moment(syntax: string, what: string): Parameter<Moment | null> {
  return parsed(syntax, `${what}: ${momentNotation}.`, momentNotation, parseMoment);
}
