/** How many pairs a semantic cache would get right and wrong at each threshold, so that one is chosen by evidence. */
import { resolve } from "node:path";
import { cosine } from "../../../exchange/sharing/meaning/vectors.ts";
import { numbersIn } from "../../../exchange/sharing/meaning/wording.ts";
import { HeadgateError } from "../../../kernel/errors.ts";
import { createUndiciTransport } from "../../../providers/undici-transport.ts";
import type { Invocation } from "../../command.ts";
import { type ExitCode, exitCodes } from "../../exit-codes.ts";
import { CliFailure } from "../../failure.ts";
import { viewGateway } from "../../gateway-view.ts";
import { type Column, formatCount, renderTable } from "../../table.ts";
import { loadSettingsWithKeys } from "../../workspace.ts";
import { askVectors, type Vectors } from "./ask-vectors.ts";
import { type Pair, readPairs } from "./pairs.ts";
import {
  evaluateThresholds,
  type Evaluation,
  type MeasuredPair,
  pairsToShow,
  type ThresholdOutcome,
} from "./thresholds.ts";

export interface CacheEvaluateOptions {
  readonly pairs: string;
  readonly embeddings: string | null;
  /** From 0 to 1. */
  readonly falseHits: number | null;
}

const FALSE_SHARE_MAX = 0.01;

export async function evaluate(invocation: Invocation<CacheEvaluateOptions>): Promise<ExitCode> {
  const { options, output, context } = invocation;
  const pairs = readPairs(resolve(context.cwd, options.pairs));
  const asked = await embedPairs(invocation, pairs);
  const measured = pairs.map((pair) => measure(pair, asked.vectors));
  const falseShareMax = options.falseHits ?? FALSE_SHARE_MAX;
  const evaluation = evaluateThresholds(measured, falseShareMax);
  const { same, different, outcomes, chosen } = evaluation;
  const neverCompared = measured.filter(({ similarity }) => similarity === null).length;
  const document = {
    model: asked.model,
    tokens: asked.tokens,
    pairs: { same, different, neverCompared },
    falseHitsMax: falseShareMax,
    thresholds: outcomes,
    threshold: chosen?.threshold ?? null,
  };
  output.result(document, () => render(asked, evaluation, neverCompared, falseShareMax));
  const enough = pairsToShow(falseShareMax);
  if (different < enough) {
    const wanted =
      enough === Infinity ? "No number of pairs shows" : `At least ${formatCount(enough)} different pairs show`;
    output.note(
      `${wanted} that no more than ${percent(falseShareMax)} are false hits; these are ${formatCount(different)}.`,
    );
  }
  return chosen === null ? exitCodes.checks : exitCodes.ok;
}

async function embedPairs(invocation: Invocation<CacheEvaluateOptions>, pairs: readonly Pair[]): Promise<Vectors> {
  const { options, context } = invocation;
  const { config } = loadSettingsWithKeys(invocation);
  const model = options.embeddings ?? config.cache.embeddings;
  if (model === null) {
    const message =
      "Say which model makes the vectors: --embeddings provider/model, or cache.embeddings in the configuration.";
    throw new HeadgateError("invalid_argument", message, { param: "--embeddings" });
  }
  const snapshot = viewGateway(config, context);
  await using transport = createUndiciTransport({ connectTimeoutMs: config.timeouts.connectMs, connectionsMax: 2 });
  const deps = { snapshot, transport, clock: context.clock, signal: new AbortController().signal };
  try {
    return await askVectors(
      deps,
      model,
      pairs.flatMap(({ a, b }) => [a, b]),
    );
  } catch (thrown) {
    if (thrown instanceof HeadgateError) throw thrown;
    throw new CliFailure("fetch_failed", `${model} could not be asked: ${String(thrown)}.`, {}, thrown);
  }
}

/** As the cache compares them: never where their numbers differ. */
function measure({ a, b, isSame }: Pair, vectors: Vectors["vectors"]): MeasuredPair {
  const [left, right] = [vectors.get(a), vectors.get(b)];
  const sameNumbers = numbersIn(a).join(" ") === numbersIn(b).join(" ");
  const similarity = !sameNumbers || left === undefined || right === undefined ? null : cosine(left, right);
  return { isSame, similarity };
}

function render(
  { model, tokens }: Vectors,
  evaluation: Evaluation,
  neverCompared: number,
  falseShareMax: number,
): string {
  const { same, different, outcomes, chosen } = evaluation;
  const counted = tokens === null ? "" : `, ${formatCount(tokens)} tokens`;
  const head = `${formatCount(same)} pairs that are the same and ${formatCount(different)} that are different, by ${model}${counted}.\n`;
  const never =
    neverCompared === 0 ? "" : `${formatCount(neverCompared)} of them differ in their numbers and are never hits.\n`;
  return `${head}${never}\n${renderTable(outcomes, columns(same, different))}\n${advise(evaluation, chosen, falseShareMax)}\n`;
}

function columns(same: number, different: number): readonly Column<ThresholdOutcome>[] {
  return [
    { title: "threshold", cell: ({ threshold }) => threshold.toFixed(2) },
    { title: "true hits", cell: ({ trueHits }) => `${percent(trueHits / same)} (${trueHits})`, align: "right" },
    {
      title: "false hits",
      cell: ({ falseHits }) => `${percent(falseHits / different)} (${falseHits})`,
      align: "right",
    },
  ];
}

function advise({ same, different }: Evaluation, chosen: ThresholdOutcome | null, falseShareMax: number): string {
  const bound = percent(falseShareMax);
  if (chosen === null)
    return `At no threshold up to 0.99 at most ${bound} of the different pairs are hits. Use another model of embeddings, or mode: exact.`;
  const { threshold, trueHits, falseHits } = chosen;
  return `threshold: ${threshold.toFixed(2)} is the lowest at which at most ${bound} of the different pairs are hits: ${falseHits} of ${formatCount(different)}. It finds ${trueHits} of ${formatCount(same)} that are the same.`;
}

function percent(share: number): string {
  return `${Number((share * 100).toFixed(1))} %`;
}
