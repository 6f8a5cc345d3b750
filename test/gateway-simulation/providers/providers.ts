/**
 * The simulated providers behind the gateway's transport. Each call is answered as its provider's mood has it, and what
 * it would bill is known: tokens of input and output, and whether the gateway was told.
 */
import type { Transport, UpstreamCall, UpstreamHandler, UpstreamRequest } from "../../../src/providers/transport.ts";
import type { Agenda } from "../../simulation/world/agenda.ts";
import type { Random } from "../../simulation/world/random.ts";
import { composeAnswer, readAsk } from "./answering.ts";
import { behave, refusalSteps } from "./behaviours.ts";
import { SimulatedCall, type CallFacts } from "./call.ts";
import { drawMishap, type Mishap, type Mood } from "./mood.ts";
import { plainSteps, type Pace, type Step } from "./steps.ts";
import type { WireDialect } from "./wire.ts";

export interface ProviderKey {
  /** In the configuration. */
  readonly name: string;
  readonly secret: string;
  /** Others are refused, until everything heals. */
  readonly isGood: boolean;
}

export interface ProviderPlan {
  /** In the configuration. */
  readonly name: string;
  readonly dialect: WireDialect;
  /** As the simulator's price list has it. */
  readonly model: string;
  /** For embeddings; `null`: it has none. */
  readonly embeddingModel: string | null;
  readonly keys: readonly ProviderKey[];
  readonly pace: Pace;
  readonly moods: readonly Mood[];
  /** Goes on after it was told to stop. */
  readonly heedless: boolean;
}

export interface ProvidersDeps {
  readonly agenda: Agenda;
  readonly random: Random;
  readonly plans: readonly ProviderPlan[];
  /** By the gateway's clock, so long after the world began. */
  readonly wallMs: (atMs: number) => number;
  readonly note: (who: string, what: string) => void;
  /** Told of every call before anything of it happens. */
  readonly called: (call: SimulatedCall) => void;
  readonly delivered: (call: SimulatedCall) => void;
}

export function originOf(name: string): string {
  return `http://${name}.test`;
}

export class SimulatedProviders implements Transport {
  readonly #deps: ProvidersDeps;
  readonly #plans: ReadonlyMap<string, ProviderPlan>;
  #calls = 0;
  #healed = false;

  constructor(deps: ProvidersDeps) {
    this.#deps = deps;
    this.#plans = new Map(deps.plans.map((plan) => [originOf(plan.name), plan]));
  }

  /** From now on everyone answers well, and soon. */
  heal(): void {
    this.#healed = true;
  }

  send(request: UpstreamRequest, handler: UpstreamHandler): UpstreamCall {
    const { agenda, note, called, delivered } = this.#deps;
    const plan = this.#plans.get(request.origin);
    if (plan === undefined) throw new Error(`There is no provider at ${request.origin}.`);
    const facts = this.#factsOf(plan, request);
    const who = `call-${facts.number}`;
    note(who, `is ${facts.attemptId} to ${plan.name}, which ${facts.behaviour}`);
    const call = new SimulatedCall(agenda, facts, handler, { note: (what) => note(who, what), delivered });
    called(call);
    return call;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return Promise.resolve();
  }

  #factsOf(plan: ProviderPlan, request: UpstreamRequest): CallFacts {
    const { random, agenda, wallMs } = this.#deps;
    const number = ++this.#calls;
    const ask = readAsk(request);
    const key = keyOf(plan, request);
    const mishap = key.isGood || this.#healed ? this.#mishapOf(plan) : badKey;
    const answer = composeAnswer(plan.dialect, ask, number, random, mishap?.kind !== "no-usage");
    const plain = plainSteps(answer, ask.stream, vary(plan.pace, this.#healed ? SOON : 0.5 + random.unit()));
    const common = {
      number,
      attemptId: headerOf(request, "x-client-request-id"),
      provider: plan.name,
      key: key.name,
      model: ask.model,
      target: `${plan.name}/${ask.model}`,
      stream: ask.stream,
      answer,
      heedless: plan.heedless,
    };
    if (mishap?.kind === "status") {
      const { status, headers } = mishap;
      const retryAfterMs = adviceOf(headers, Math.max(wallMs(agenda.nowMs), wallMs(agenda.nowMs + REFUSED_MS)));
      const advice = retryAfterMs === null ? "" : ` for ${Math.round(retryAfterMs)} ms`;
      const steps = refusalSteps(plan.dialect, status, headers);
      return {
        ...common,
        behaviour: `refuses with ${status}${advice}`,
        steps,
        retryAfterMs,
        forbidsRetry: headers["x-should-retry"] === "false",
      };
    }
    const going = { dialect: plan.dialect, stream: ask.stream, random };
    const name = mishap?.kind === "behaviour" ? mishap.name : "answers well";
    const behaviour = mishap?.kind === "no-usage" ? "does not say what it used" : name;
    const steps: readonly Step[] = behave(name, plain, going);
    return { ...common, behaviour, steps, retryAfterMs: null, forbidsRetry: false };
  }

  /** `null`: all is well. */
  #mishapOf({ moods }: ProviderPlan): Mishap | null {
    const { random, agenda, wallMs } = this.#deps;
    const mood = moods.find(({ untilMs }) => agenda.nowMs < untilMs) ?? moods.at(-1);
    if (this.#healed || mood === undefined || !random.chance(mood.share)) return null;
    return mood.mishap ?? drawMishap(random, wallMs(0));
  }
}

/** Refusals are there by then. */
const REFUSED_MS = 20;

const badKey: Mishap = { kind: "status", status: 401, headers: {} };

function keyOf({ keys }: ProviderPlan, request: UpstreamRequest): ProviderKey {
  const presented = headerOf(request, "authorization");
  const key = keys.find(({ secret }) => presented === `Bearer ${secret}`);
  if (key === undefined) throw new Error(`No key is ${presented}.`);
  return key;
}

/** Of what a provider usually takes: within any timer. */
const SOON = 0.1;

function vary({ dialMs, headMs, firstWordMs, wordMs }: Pace, factor: number): Pace {
  return { dialMs, headMs: headMs * factor, firstWordMs: firstWordMs * factor, wordMs: wordMs * factor };
}

function headerOf({ headers }: UpstreamRequest, name: string): string {
  const at = headers.indexOf(name);
  const value = at === -1 ? undefined : headers[at + 1];
  if (value === undefined) throw new Error(`The call has no header ${name}.`);
  return value;
}

/** In milliseconds; `null`: nothing that can be read. */
function adviceOf(headers: Readonly<Record<string, string>>, wallMs: number): number | null {
  const { "retry-after-ms": milliseconds, "retry-after": text } = headers;
  if (milliseconds !== undefined) return Number(milliseconds);
  if (text === undefined || text === "soon") return null;
  return /^\d+$/.test(text) ? Number(text) * 1_000 : Math.max(0, Date.parse(text) - wallMs);
}
