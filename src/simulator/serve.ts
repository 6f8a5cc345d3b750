/**
 * One generation request from its body to its delivery: read, find the script, check the key, let the faults strike,
 * compose the answer, send it. The same for every API family; `Wire` has what differs.
 */
import type { IncomingMessage, ServerResponse } from "node:http";
import { composeAnswer, emptyAnswer, isFixedAnswer, type Answer, type Ask } from "./answer/answer.ts";
import { Call } from "./delivery/call.ts";
import { sendFlood } from "./delivery/flood.ts";
import { StreamRun } from "./delivery/stream-run.ts";
import { sendWhole } from "./delivery/whole.ts";
import { faultNumber, findFault } from "./faults.ts";
import { simulatedModels } from "./prices.ts";
import { planRefusal, strikeBefore } from "./refusals.ts";
import { ScriptError } from "./script.ts";
import type { Simulation } from "./simulation.ts";
import { isObject, Refusal, type Reading, type Wire } from "./wire/wire.ts";

const ANSWER_TOKENS_MAX = 1_000_000;
/** Longer answers are composed anew for each request instead of being kept. */
const FIXED_TOKENS_MAX = 2000;

export function serve(
  simulation: Simulation,
  wire: Wire,
  request: IncomingMessage,
  response: ServerResponse,
  body: Buffer,
): void {
  const number = simulation.nextNumber();
  const requestId = simulation.ids.requestIdOf(number);
  try {
    generate(simulation, wire, request, response, body, number, requestId);
  } catch (thrown) {
    simulation.counts.refused++;
    sendRefusal(wire, response, asRefusal(thrown), requestId);
  }
}

function generate(
  simulation: Simulation,
  wire: Wire,
  request: IncomingMessage,
  response: ServerResponse,
  body: Buffer,
  number: number,
  requestId: string,
): void {
  const json = parseBody(body);
  const model = json["model"];
  if (typeof model !== "string" || model === "")
    throw new Refusal(400, "you must provide a model parameter", { param: "model" });
  const known = simulation.known(model, headerText(request, "x-sim-script"));
  const { script } = known;
  if (!servesModel(wire, script.model)) {
    throw new Refusal(404, `The model \`${model}\` does not exist or you do not have access to it.`, {
      param: "model",
      code: "model_not_found",
    });
  }
  if (script.cacheWrite1h > 0 && wire.endpoint !== "messages")
    throw new ScriptError("cache-write-1h needs POST /v1/messages; OpenAI reports no such bucket.");
  if (wire.endpoint === "embeddings" && (script.cacheRead > 0 || script.cacheWrite5m > 0))
    throw new ScriptError("cache-read and cache-write need an answer in words; embeddings report no such buckets.");
  const apiKey = readApiKey(simulation, request);
  const faults = simulation.striking(known);
  const refusal = planRefusal(faults, script, apiKey, wire.endpoint === "messages", simulation.clock.wallMs());
  if (refusal) throw refusal;
  const reading = wire.read(json, request.headers);
  if (reading.ask.choices * ((script.tokens ?? 0) + (script.reasoning ?? 0)) > ANSWER_TOKENS_MAX) {
    throw new ScriptError(`tokens, reasoning and n together ask for more than ${ANSWER_TOKENS_MAX} tokens.`);
  }
  reading.padding ||= script.obfuscation;
  reading.showReasoning ||= script.reasoningText;
  const marks = {
    number,
    id: simulation.ids.idOf(number, wire.endpoint),
    model: script.model,
    created: Math.floor(simulation.clock.wallMs() / 1000),
  };
  const answer = answerOf(simulation, known, reading.ask, wire);
  const call = new Call(simulation, {
    request,
    response,
    wire,
    reading,
    script,
    faults,
    answer,
    marks,
    requestId,
    apiKey: keyLabel(apiKey),
  });
  if (faults.length === 0) deliver(call, reading);
  else deliverFaulty(call, reading);
}

function deliverFaulty(call: Call, reading: Reading): void {
  if (strikeBefore(call)) return;
  const { faults } = call.facts;
  const flood = findFault(faults, "gzip-bomb") ?? findFault(faults, "huge-body");
  if (flood) {
    sendFlood(call, flood);
    return;
  }
  const slow = findFault(faults, "slow-headers");
  if (!slow) {
    deliver(call, reading);
    return;
  }
  const { simulation, facts } = call;
  simulation.running.add(call);
  const wait = { dueTick: null, onDue: () => deliver(call, reading) };
  facts.response.on("close", () => {
    if (wait.dueTick === null) return;
    simulation.pacer.cancel(wait);
    call.settle("cancelled", call.tokensWith(0, 0));
  });
  simulation.pacer.schedule(wait, call.startedMs + faultNumber(slow, 2000));
}

function deliver(call: Call, reading: Reading): void {
  if (reading.stream) {
    new StreamRun(call).start();
    return;
  }
  const { wire, marks, answer, faults } = call.facts;
  sendWhole(call, () =>
    wire.encodeWhole(marks, answer, findFault(faults, "no-usage") ? null : call.fullTokens(), reading),
  );
}

function answerOf(simulation: Simulation, known: ReturnType<Simulation["known"]>, ask: Ask, wire: Wire): Answer {
  if (wire.endpoint === "embeddings") return emptyAnswer;
  if (!isFixedAnswer(known.script, ask) || (known.script.tokens ?? 0) > FIXED_TOKENS_MAX)
    return composeAnswer(known.script, ask, simulation.seed);
  if (known.fixedAnswer === emptyAnswer)
    known.fixedAnswer = composeAnswer(known.script, { ...ask, userText: "" }, simulation.seed);
  return known.fixedAnswer;
}

function servesModel(wire: Wire, model: string): boolean {
  return simulatedModels.includes(model) && (model === "sim-embed") === (wire.endpoint === "embeddings");
}

function parseBody(body: Buffer): Readonly<Record<string, unknown>> {
  let json: unknown;
  try {
    json = JSON.parse(body.toString("utf8"));
  } catch {
    throw new Refusal(400, "We could not parse the JSON body of your request.");
  }
  if (!isObject(json)) throw new Refusal(400, "The JSON body of your request must be an object.");
  return json;
}

/** From `authorization: Bearer …` or `x-api-key`; empty if there is neither. Throws 401 if that is not allowed. */
export function readApiKey(simulation: Simulation, request: IncomingMessage): string {
  const authorization = request.headers.authorization;
  const bearer = authorization?.startsWith("Bearer ") ? authorization.slice(7).trim() : "";
  const key = bearer === "" ? (headerText(request, "x-api-key") ?? "") : bearer;
  if (key === "" && simulation.requireKey) {
    const message = "You didn't provide an API key. Send it as `Authorization: Bearer …` or `x-api-key`.";
    throw new Refusal(401, message, { code: "missing_api_key" });
  }
  return key;
}

/** How a key appears in the books: never more than its last four characters. */
function keyLabel(apiKey: string): string {
  return apiKey === "" ? "none" : `…${apiKey.slice(-4)}`;
}

function headerText(request: IncomingMessage, name: string): string | undefined {
  const value = request.headers[name];
  return typeof value === "string" ? value : undefined;
}

/** A script that cannot be read is the caller's mistake; anything else unknown is a bug of the simulator. */
function asRefusal(thrown: unknown): Refusal {
  if (thrown instanceof Refusal) return thrown;
  if (thrown instanceof ScriptError)
    return new Refusal(400, `Simulator script: ${thrown.message}`, { param: "model", code: "invalid_script" });
  return new Refusal(
    500,
    `The simulator failed: ${thrown instanceof Error ? (thrown.stack ?? thrown.message) : String(thrown)}`,
  );
}

export function sendRefusal(wire: Wire, response: ServerResponse, refusal: Refusal, requestId: string): void {
  if (response.headersSent) {
    response.destroy();
    return;
  }
  const body = wire.encodeRefusal(refusal, requestId);
  const head = [
    ...wire.responseHeaders(requestId),
    ...refusal.headers,
    "content-type",
    "application/json",
    "content-length",
    String(Buffer.byteLength(body)),
  ];
  response.writeHead(refusal.status, head);
  response.end(body);
}
