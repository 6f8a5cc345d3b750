/** What a steady soak shows: how requests were served and ended, and the first and last third of every measure. */
import { renderCounts, renderOutcomes, table } from "../picture.ts";
import { flatnessOfMeasure, LOG_BYTES_MAX, type Measure, measures, type Rest } from "./audit-steady.ts";
import { answerOf } from "./right-answers.ts";
import type { SteadyResult } from "./run-steady.ts";

/** Half a line. */
export function describeRest(rest: Rest): string {
  const { afterMs, descriptors, handles, timers } = rest;
  return (
    `after ${(afterMs / 1000).toFixed(0)} s: heap ${render("heapBytes", rest.heapBytes)}, resident ${render("rssBytes", rest.rssBytes)}, ` +
    `log ${renderBytes(rest.logBytes)}, ${descriptors} descriptors, ${handles} handles, ${timers} timers`
  );
}

export function renderResult(result: SteadyResult, perSecond: number): string {
  const { served, rests, ways, books } = result;
  const outcomes = served.map(({ outcome }) => outcome);
  const { size } = books.ledger.attempts;
  const third = Math.floor(rests.length / 3);
  return (
    `\n${outcomes.length} requests, ${perSecond} a second asked for, ${size} calls of providers\n` +
    renderOutcomes(outcomes) +
    `Asked: ${renderCounts(outcomes.map(({ plan }) => plan.path))}\n` +
    `Answers: ${renderCounts(outcomes.map((outcome) => String(answerOf(outcome))))}\n` +
    `Endings on record: ${renderCounts([...books.ledger.requests.values()].map(({ ending }) => ending))}\n` +
    `Requests that were ${Object.entries(ways)
      .map(([way, count]) => `${way}: ${count}`)
      .join(", ")}\n\n` +
    table([
      ["measured at rest", "first third", "last third", "at most"],
      ...measures.map((measure) => {
        const { first, last, most } = flatnessOfMeasure(rests, measure);
        return [measure, ...[first, last, most].map((value) => render(measure, value))];
      }),
      [
        "logBytes",
        ...[mostLogOf(rests.slice(0, third)), mostLogOf(rests.slice(-third)), LOG_BYTES_MAX].map(renderBytes),
      ],
    ])
  );
}

function mostLogOf(rests: readonly Rest[]): number {
  return Math.max(...rests.map(({ logBytes }) => logBytes));
}

function render(measure: Measure, value: number): string {
  return measure.endsWith("Bytes") ? renderBytes(value) : String(value);
}

function renderBytes(bytes: number): string {
  return `${(bytes / 1_048_576).toFixed(1)} MiB`;
}
