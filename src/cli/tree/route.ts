/** Where requests go. */
import { parseTags, tagNotation } from "../../config/tags.ts";
import type { DialectName } from "../../dialects/dialect.ts";
import { inferencePaths } from "../../http/routes.ts";
import { command, group, type GroupNode } from "../command.ts";
import type { ExplainOptions } from "../commands/route/explain.ts";
import { choice, optionalText, parsed, text } from "../parameters.ts";

const dialects: readonly DialectName[] = [...new Set(inferencePaths.values())];

export const routeGroup: GroupNode = group("route", "See where requests go.", [
  command<ExplainOptions>({
    name: "explain",
    purpose: "Explain which targets a request would be tried at, in which order, and why not at the others.",
    details:
      "Works from the configuration alone: nothing is called. How targets fare and how loaded they are is known to a running\ngateway only; POST /v1/route/explain asks it.",
    parameters: {
      model: text("<model>", "What a caller would write in `model`: an alias, provider/model, or a model's name."),
      request: optionalText(
        "--request <file>",
        "A file with the body of the request, JSON; its model is replaced. Default: a short prompt that needs nothing.",
      ),
      dialect: choice(
        "--dialect <dialect>",
        `The dialect that the request is in, whatever its body looks like: ${dialects.join(", ")}. Default: openai-chat.`,
        dialects,
      ),
      tags: parsed(
        "--tags <list>",
        "Tags that the request requires, as in the header x-headgate-require-tags.",
        `tags separated by commas, each of ${tagNotation}`,
        (given) => parseTags(given) ?? undefined,
      ),
    },
    configFlags: "all",
    examples: [
      { line: "route explain fast", what: "The targets of an alias, the likeliest first" },
      { line: "route explain fast --request request.json", what: "For this very request" },
      {
        line: "route explain fast --request message.json --dialect anthropic-messages",
        what: "For one of the Messages API",
      },
      { line: "route explain fast --tags eu,no-retention --json", what: "With tags required, for a script" },
    ],
    json: "`model`, `operation`, `dialect`, `needs`, `requires`, `inputTokens`, `maxOutputTokens`, `balance` (`by`, `decision`) or null, `targets`, `refusal` (`code`, `message`) or null, and `policy`. Each of `targets` has `name`, `place` or null, `isFallback`, `weight`, `sharePercent`, `dialect`, `isTranslated`, `tags`, `contextTokens`, `maxOutputTokens`, `timeouts`, `queue` and `reasons` (`kind`, `text`).",
    load: async () => (await import("../commands/route/explain.ts")).explain,
  }),
]);
