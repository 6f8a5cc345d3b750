import { formatDuration } from "../../../config/options/units.ts";
import type { ExplainedTarget, RouteExplanation } from "../../../routing/explanation.ts";
import type { RoutePolicy } from "../../../routing/plan.ts";
import { formatCount, renderTable } from "../../table.ts";

/** For people. */
export function renderExplanation(explanation: RouteExplanation): string {
  const { targets, balance, refusal, policy } = explanation;
  const placed = targets.filter(({ place }) => place !== null);
  const paragraphs = [
    renderRequest(explanation),
    refusal === null ? "" : `Refused with ${refusal.code}. ${refusal.message}\n`,
    placed.length === 0 ? "" : `${balance === null ? "" : `${balance.decision}\n\n`}${renderPlaced(placed)}`,
    renderObjections(
      "Left out:",
      targets.filter(({ place }) => place === null),
    ),
    renderObjections("Taken all the same, for nothing better is there:", placed),
    placed.length === 0 ? "" : renderTimeouts(placed),
    renderPolicy(policy),
  ];
  return paragraphs.filter((paragraph) => paragraph !== "").join("\n");
}

function renderRequest(explanation: RouteExplanation): string {
  const { model, operation, dialect, inputTokens, maxOutputTokens, needs, requires } = explanation;
  const bound =
    maxOutputTokens === null ? "no bound on output" : `at most ${formatCount(maxOutputTokens)} tokens of output`;
  return [
    `${model}: ${operation} in ${dialect}, about ${formatCount(inputTokens)} tokens of input, ${bound}\n`,
    needs.length === 0 ? "" : `Needs: ${needs.join(", ")}\n`,
    requires.length === 0 ? "" : `Requires the tags: ${requires.join(", ")}\n`,
  ].join("");
}

function renderPlaced(targets: readonly ExplainedTarget[]): string {
  const tokens = (count: number | null): string => (count === null ? "-" : formatCount(count));
  return renderTable(targets, [
    { title: "place", cell: ({ place }) => String(place), align: "right" },
    { title: "target", cell: ({ name }) => name },
    {
      title: "first",
      cell: ({ sharePercent, isFallback }) =>
        isFallback ? "fallback" : sharePercent === null ? "-" : percent(sharePercent),
      align: "right",
    },
    {
      title: "dialect",
      cell: ({ dialect, isTranslated }) => `${dialect ?? "-"}${isTranslated ? " (translated)" : ""}`,
    },
    { title: "context", cell: ({ contextTokens }) => tokens(contextTokens), align: "right" },
    { title: "output", cell: ({ maxOutputTokens }) => tokens(maxOutputTokens), align: "right" },
    { title: "tags", cell: ({ tags }) => tags.join(", ") },
  ]);
}

function percent(share: number): string {
  return `${Math.round(share * 10) / 10} %`;
}

function renderObjections(heading: string, targets: readonly ExplainedTarget[]): string {
  const lines = targets
    .filter(({ reasons }) => reasons.length > 0)
    .map(({ name, reasons }) => `  ${name} ${reasons.map(({ text }) => text.replace(/\.$/, "")).join(", and ")}.\n`);
  return lines.length === 0 ? "" : `${heading}\n${lines.join("")}`;
}

function renderTimeouts(targets: readonly ExplainedTarget[]): string {
  const duration = (ms: number): string => (ms === 0 ? "none" : formatDuration(ms));
  return renderTable(targets, [
    { title: "timeouts", cell: ({ name }) => name },
    { title: "connect", cell: ({ timeouts }) => duration(timeouts.connectMs), align: "right" },
    { title: "switch", cell: ({ timeouts }) => duration(timeouts.switchMs), align: "right" },
    { title: "first token", cell: ({ timeouts }) => duration(timeouts.firstTokenMs), align: "right" },
    { title: "idle", cell: ({ timeouts }) => duration(timeouts.idleMs), align: "right" },
    { title: "queue", cell: ({ queue }) => duration(queue.waitMs), align: "right" },
    { title: "total", cell: ({ timeouts }) => duration(timeouts.totalMs), align: "right" },
  ]);
}

function renderPolicy({ retries, commit, invalidEvents, hedge, cache }: RoutePolicy): string {
  const { attemptsMax, backoffMs, backoffMaxMs, budgetPercent } = retries;
  const window = `, ${commit.windowTokens} tokens or ${formatDuration(commit.windowMs)}`;
  const after = hedge.afterMs === 0 ? "the target's own slow calls" : formatDuration(hedge.afterMs);
  return [
    `Calls: at most ${attemptsMax}; backoff ${formatDuration(backoffMs)} to ${formatDuration(backoffMaxMs)}; retry budget ${budgetPercent} %\n`,
    `Commit: at ${commit.at}${commit.at === "window" ? window : ""}; when it breaks later: ${commit.whenBroken}; at an event that cannot be read: ${invalidEvents}\n`,
    `Hedge: ${hedge.mode === "off" ? "off" : `after ${after}`}\n`,
    `Cache: ${cache.mode === "off" ? "off" : `${cache.mode}, for ${formatDuration(cache.ttlMs)}`}\n`,
  ].join("");
}
