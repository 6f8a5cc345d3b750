/** Vectors of texts, asked of the provider itself: for an operator's own trials, which no tenant is charged for. */
import { chooseTarget, type ChosenTarget } from "../../../exchange/attempt/choose.ts";
import { readVectors } from "../../../exchange/sharing/meaning/vectors.ts";
import type { Snapshot } from "../../../exchange/snapshot.ts";
import { findDialect } from "../../../dialects/registry.ts";
import type { RequestView } from "../../../dialects/dialect.ts";
import { assert } from "../../../kernel/assert.ts";
import type { Clock } from "../../../kernel/clock.ts";
import { HeadgateError } from "../../../kernel/errors.ts";
import { parseJsonDocument } from "../../../kernel/json-document.ts";
import { postJson } from "../../../providers/get-json.ts";
import type { Transport } from "../../../providers/transport.ts";

export interface VectorDeps {
  readonly snapshot: Snapshot;
  readonly transport: Transport;
  readonly clock: Clock;
  readonly signal: AbortSignal;
}

export interface Vectors {
  /** `provider/model` that was asked. */
  readonly model: string;
  /** By text, of unit length. */
  readonly vectors: ReadonlyMap<string, Float32Array>;
  /** As the provider counted them; `null`: it did not. */
  readonly tokens: number | null;
}

/** Providers take 2,048 and some much fewer; each answer is a few hundred kB. */
const TEXTS_AT_ONCE = 64;
const ANSWER_WITHIN_MS = 60_000;
const ANSWER_BYTES_MAX = 64 * 1024 * 1024;

/** `model`: `provider/model` or alias. Rejects with `model_not_found`, with what the provider refused it with, and with the network's errors. */
export async function askVectors(deps: VectorDeps, model: string, texts: readonly string[]): Promise<Vectors> {
  const distinct = [...new Set(texts)];
  const vectors = new Map<string, Float32Array>();
  let tokens: number | null = 0;
  let name = model;
  for (let start = 0; start < distinct.length; start += TEXTS_AT_ONCE) {
    const some = distinct.slice(start, start + TEXTS_AT_ONCE);
    const chosen = choose(deps, model, some);
    name = chosen.target.name;
    const json = await ask(deps, chosen);
    const given = readVectors(json);
    for (const [index, text] of some.entries()) vectors.set(text, vectorOf(given[index], name));
    const { usage } = chosen.outbound.readResponse(json, chosen.target.facts.quirks);
    tokens = usage === null || tokens === null ? null : tokens + usage.inputTokens;
  }
  return { model: name, vectors, tokens };
}

interface Asked extends ChosenTarget {
  readonly view: RequestView;
}

function choose({ snapshot, clock }: VectorDeps, model: string, input: readonly string[]): Asked {
  const dialect = findDialect("openai-embeddings");
  assert(dialect.inbound !== undefined, "embeddings can be asked for");
  const body = Buffer.from(JSON.stringify({ model, input }));
  const view = dialect.inbound.view(parseJsonDocument(body, { depth: snapshot.config.limits.jsonDepth }));
  const startedAtMs = clock.wallMs();
  const request = { view, dialect, tenantId: null, requires: [], modelAllowList: null, atMs: startedAtMs };
  const [target] = snapshot.router.plan(request).targets;
  assert(target !== undefined, "a plan has a target");
  return { view, ...chooseTarget({ snapshot, dialect, startedAtMs }, view, target) };
}

async function ask(
  { transport, clock, signal }: VectorDeps,
  { view, outbound, endpoint, target }: Asked,
): Promise<unknown> {
  const request = {
    origin: endpoint.origin,
    path: endpoint.basePath + outbound.path(target.facts.model, false),
    headers: endpoint.nextCredential().headers,
    body: outbound.splice(view, target.facts).body,
    timeoutMs: ANSWER_WITHIN_MS,
    bytesMax: ANSWER_BYTES_MAX,
  };
  const { status, headers, json } = await postJson(transport, clock, request, signal);
  if (status === 200) return json;
  throw outbound.readError(status, headers, Buffer.from(JSON.stringify(json)), clock.wallMs());
}

function vectorOf(vector: Float32Array | null | undefined, model: string): Float32Array {
  if (vector !== null && vector !== undefined) return vector;
  throw new HeadgateError("upstream_malformed", `${model} gave no vector for one of the texts.`);
}
