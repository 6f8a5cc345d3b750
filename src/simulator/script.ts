/**
 * The grammar by which a request chooses the simulator's behaviour:
 *
 *   model  = name [ ":" script ]        script = directive *( "," directive )        directive = name [ "=" value ]
 *
 * for example `sim-chat:tokens=200,ttft=lognormal(300,0.4),rate=50,fault=cut-mid-token@10`. The header `x-sim-script`
 * takes a script too; its directives come after those of the model's name and win. Commas inside parentheses do not
 * separate. An unknown directive or a value out of range is refused with a sentence that names it.
 */
import { parseDistribution, type Distribution } from "./answer/distribution.ts";
import { parseFault, type Fault } from "./faults.ts";

export type Finish = "stop" | "length" | "tool_calls" | "content_filter";

export interface Script {
  /** The name before the colon: what is priced and reported. */
  readonly model: string;
  /** The whole text; requests of equal text share caches and fault counters. */
  readonly text: string;
  /** Tokens of answer text; `null`: a natural answer that takes up what the user said. */
  readonly tokens: number | null;
  /** Milliseconds to the first token. */
  readonly ttft: Distribution | null;
  /** Tokens a second; `null`: as fast as the reader takes them. */
  readonly rate: Distribution | null;
  /** Makes answer and latency depend on the request alone; `null`: latency follows the simulator's own sequence. */
  readonly seed: number | null;
  /** Tool calls to make, if tools are offered; `null`: only if the request forces one. */
  readonly tools: number | null;
  /** Tokens of reasoning; `null`: some if the request turns thinking on. */
  readonly reasoning: number | null;
  /** Shows reasoning on the OpenAI wire as `reasoning_content`, which OpenAI itself keeps to itself. */
  readonly reasoningText: boolean;
  /** Uncached input tokens, instead of counting the prompt. */
  readonly input: number | null;
  readonly cacheRead: number;
  readonly cacheWrite5m: number;
  readonly cacheWrite1h: number;
  /** The finish reason, instead of the one that follows. */
  readonly finish: Finish | null;
  /** Padding as OpenAI adds to stream chunks; `stream_options.include_obfuscation: true` asks for it, too. */
  readonly obfuscation: boolean;
  /**
   * `retry-after` of a refusal: seconds, `none`, `far` (a year), `date:N` (an HTTP date in N seconds; 5 if left out), or
   * `reset:N` (only the headers of rates say it: nothing remains of one until N seconds from now).
   */
  readonly retryAfter: string | null;
  readonly faults: readonly Fault[];
  /** Faults strike only every k-th request of this script; 1: always. */
  readonly every: number;
  /** Faults strike only the first k requests of this script; 0: no such limit. */
  readonly first: number;
}

/** The script cannot be read; the message says why and goes to the caller. */
export class ScriptError extends Error {
  override readonly name = "ScriptError";
}

const INTEGER_DIRECTIVES: Readonly<
  Record<string, { readonly field: keyof Script; readonly max: number; readonly min?: number }>
> = {
  tokens: { field: "tokens", max: 1_000_000 },
  tools: { field: "tools", max: 64 },
  reasoning: { field: "reasoning", max: 1_000_000 },
  input: { field: "input", max: 1_000_000_000 },
  "cache-read": { field: "cacheRead", max: 1_000_000_000 },
  "cache-write": { field: "cacheWrite5m", max: 1_000_000_000 },
  "cache-write-1h": { field: "cacheWrite1h", max: 1_000_000_000 },
  seed: { field: "seed", max: 4_294_967_295 },
  every: { field: "every", min: 1, max: 1_000_000 },
  first: { field: "first", max: 1_000_000_000 },
};

const FLAG_DIRECTIVES: Readonly<Record<string, keyof Script>> = {
  obfuscation: "obfuscation",
  "reasoning-text": "reasoningText",
};

const FINISHES: readonly string[] = ["stop", "length", "tool_calls", "content_filter"];

type Draft = { -readonly [Field in keyof Script]: Script[Field] } & { faults: Fault[] };

/** Reads the script in a model's name, then the further ones in order. Throws `ScriptError`. */
export function parseScript(name: string, ...further: readonly string[]): Script {
  const colon = name.indexOf(":");
  const draft: Draft = {
    model: colon < 0 ? name : name.slice(0, colon),
    text: [name, ...further].join(","),
    tokens: null,
    ttft: null,
    rate: null,
    seed: null,
    tools: null,
    reasoning: null,
    reasoningText: false,
    input: null,
    cacheRead: 0,
    cacheWrite5m: 0,
    cacheWrite1h: 0,
    finish: null,
    obfuscation: false,
    retryAfter: null,
    faults: [],
    every: 1,
    first: 0,
  };
  const own = colon < 0 ? [] : [name.slice(colon + 1)];
  for (const part of [...own, ...further]) for (const directive of splitDirectives(part)) apply(draft, directive);
  return draft;
}

/** Splits at commas outside parentheses; empty directives are left out. */
function splitDirectives(text: string): string[] {
  return text
    .split(/,(?![^()]*\))/)
    .map((part) => part.trim())
    .filter((part) => part !== "");
}

function apply(draft: Draft, directive: string): void {
  const equals = directive.indexOf("=");
  const name = equals < 0 ? directive : directive.slice(0, equals);
  const value = equals < 0 ? "" : directive.slice(equals + 1);
  const integer = INTEGER_DIRECTIVES[name];
  if (integer) {
    Object.assign(draft, { [integer.field]: parseInteger(name, value, integer.max, integer.min) });
    return;
  }
  const flag = FLAG_DIRECTIVES[name];
  if (flag) {
    Object.assign(draft, { [flag]: value !== "0" && value !== "false" });
    return;
  }
  applyOther(draft, name, value);
}

function applyOther(draft: Draft, name: string, value: string): void {
  switch (name) {
    case "ttft":
    case "rate": {
      const distribution = parseDistribution(value);
      if (!distribution)
        throw new ScriptError(`${name}=${value}: give a number or a distribution such as lognormal(300,0.4).`);
      draft[name] = distribution;
      return;
    }
    case "finish":
      if (!FINISHES.includes(value)) throw new ScriptError(`finish=${value}: one of ${FINISHES.join(", ")}.`);
      draft.finish = value as Finish;
      return;
    case "retry-after":
      if (!/^(\d{1,9}|none|far|(date|reset)(:\d{1,9})?)$/.test(value))
        throw new ScriptError(`retry-after=${value}: seconds, none, far, date:SECONDS or reset:SECONDS.`);
      draft.retryAfter = value;
      return;
    case "tag":
      if (!/^[\w.-]{1,64}$/.test(value)) throw new ScriptError(`tag=${value}: letters, digits, ".", "_" and "-".`);
      return;
    case "status":
    case "fault":
      addFault(draft, name === "status" ? `status:${value}` : value);
      return;
    default:
      throw new ScriptError(
        `Unknown directive "${name}". GET /sim/faults lists the faults; the others are ${directiveNames().join(", ")}.`,
      );
  }
}

function addFault(draft: Draft, text: string): void {
  const fault = parseFault(text);
  if (!fault) throw new ScriptError(`Unknown fault "${text}". GET /sim/faults lists them all.`);
  if (fault.name === "status" && !/^[45]\d\d$/.test(fault.argument))
    throw new ScriptError(`status=${fault.argument}: 400 to 599.`);
  if (fault.name === "flapping") {
    draft.every = parseInteger("flapping", fault.argument, 1_000_000, 1);
    draft.faults.push({ name: "status", kind: "before", at: 0, argument: "503" });
    return;
  }
  draft.faults.push(fault);
}

function parseInteger(name: string, value: string, max: number, min = 0): number {
  const number = Number(value);
  if (!/^\d{1,10}$/.test(value) || number > max || number < min) {
    throw new ScriptError(`${name}=${value}: give an integer from ${min} to ${max}.`);
  }
  return number;
}

function directiveNames(): string[] {
  return [
    ...Object.keys(INTEGER_DIRECTIVES),
    ...Object.keys(FLAG_DIRECTIVES),
    "ttft",
    "rate",
    "finish",
    "retry-after",
    "tag",
    "status",
    "fault",
  ];
}
