/**
 * What the simulator is asked to do in a soak: a random script for each request, with every fault there is. A fault
 * that is added to the simulator does not compile here until the soak has a way to ask for it.
 */
import type { FaultName } from "../../../src/simulator/faults.ts";
import type { Random } from "../../../src/simulator/answer/random.ts";

/** The directive that asks for the fault; `null`: not by script. */
const faultDirectives: Readonly<Record<FaultName, ((random: Random) => string) | null>> = {
  refuse: null,
  status: (random) => `status=${random.pick([400, 401, 403, 404, 408, 409, 413, 422, 429, 500, 502, 503, 504, 529])}`,
  "bad-key": () => "fault=bad-key:poor",
  "context-length": plain("context-length"),
  "content-filter": plain("content-filter"),
  flapping: (random) => `fault=flapping:${2 + random.below(3)}`,
  "html-instead-of-json": plain("html-instead-of-json"),
  "reset-before-response": plain("reset-before-response"),
  "black-hole": plain("black-hole"),
  "slow-headers": (random) => `fault=slow-headers:${random.pick([20, 150, 600])}`,
  "headers-then-silence": plain("headers-then-silence"),
  "one-token-then-silence": late("one-token-then-silence"),
  "reset-after-headers": late("reset-after-headers"),
  "cut-mid-token": late("cut-mid-token"),
  "cut-between-events": late("cut-between-events"),
  "no-finish": late("no-finish"),
  "error-event-after-200": late("error-event-after-200"),
  "invalid-json": late("invalid-json"),
  "invalid-utf8": late("invalid-utf8"),
  "huge-event": (random) => `fault=huge-event:1@${random.below(8)}`,
  "no-terminal-marker": plain("no-terminal-marker"),
  "no-usage": plain("no-usage"),
  "ignore-cancellation": plain("ignore-cancellation"),
  "wrong-content-type": plain("wrong-content-type"),
  gzip: plain("gzip"),
  "slow-drip": (random) => `fault=slow-drip:${40 + random.below(200)}`,
  bom: plain("bom"),
  crlf: plain("crlf"),
  "split-utf8": plain("split-utf8"),
  "many-events-per-packet": plain("many-events-per-packet"),
  comments: plain("comments"),
  "gzip-bomb": () => "fault=gzip-bomb:4",
  "huge-body": () => "fault=huge-body:3",
};

/** Faults after which nothing more comes: they are asked of providers that give up soon. */
export const silentFaults: ReadonlySet<FaultName> = new Set([
  "black-hole",
  "slow-headers",
  "headers-then-silence",
  "one-token-then-silence",
]);

export const faultNames: readonly FaultName[] = (Object.keys(faultDirectives) as FaultName[]).filter(
  (name) => faultDirectives[name] !== null,
);

export interface ScriptWishes {
  readonly fault: FaultName | null;
  /** Spread over time, so that a caller can leave in the middle. */
  readonly paced: boolean;
  /** Decides which buckets of cached input there are to report. */
  readonly endpoint: "chat" | "messages" | "embeddings";
  readonly tools: boolean;
}

/** The directives of one request; never empty. */
export function composeScript(random: Random, wishes: ScriptWishes): string {
  const parts = [`tokens=${random.below(40)}`];
  const maybe = (share: number, directive: () => string): void => {
    if (random.next() < share) parts.push(directive());
  };
  if (wishes.paced) parts.push(`ttft=uniform(1,${5 + random.below(20)})`, `rate=${500 + random.below(2000)}`);
  if (wishes.tools) parts.push(`tools=${1 + random.below(2)}`);
  maybe(0.25, () => `reasoning=${random.below(25)}`);
  maybe(0.05, () => "reasoning-text");
  if (wishes.endpoint !== "embeddings") {
    maybe(0.25, () => `cache-read=${random.below(500)}`);
    maybe(0.15, () => `cache-write=${random.below(300)}`);
  }
  if (wishes.endpoint === "messages") maybe(0.15, () => `cache-write-1h=${random.below(200)}`);
  maybe(0.05, () => `input=${random.below(200)}`);
  maybe(0.05, () => `finish=${random.pick(["length", "content_filter", "stop"])}`);
  maybe(0.05, () => "obfuscation");
  const directive = wishes.fault === null ? null : faultDirectives[wishes.fault];
  if (directive !== null) parts.push(directive(random));
  return parts.join(",");
}

function plain(name: FaultName): () => string {
  return () => `fault=${name}`;
}

/** Strikes at a random token. */
function late(name: FaultName): (random: Random) => string {
  return (random) => `fault=${name}@${random.below(10)}`;
}
