/**
 * Every fault of the simulator, with what it means to a request whose route has another target. A fault that is added to
 * the simulator does not compile here until it is said what a caller may see of it.
 */
import type { FaultName } from "../../../src/simulator/faults.ts";

/**
 * `harmless`: the answer is whole all the same. `rescued`: it strikes before any output, so another call answers.
 * `breaks`: it strikes after output has begun. `refused`: the caller is told, because it would be the same everywhere.
 */
export type Effect =
  | { readonly kind: "harmless" | "rescued" | "breaks" }
  | { readonly kind: "refused"; readonly status: number };

export interface FaultCase {
  readonly fault: FaultName;
  /** Tells it from other cases of the same fault. */
  readonly name: string;
  /** Of the target's script. */
  readonly directives: string;
  readonly effect: Effect;
  /** Nothing more comes: the target is given little time. */
  readonly isSilent: boolean;
  /** Nothing listens there. */
  readonly isNowhere: boolean;
}

type Draft = Omit<FaultCase, "fault" | "name"> & { readonly suffix: string };

/** Strikes now and then. */
const RARELY = "every=3";
/** Tokens of output before a fault that strikes in the middle. */
const MIDDLE = 5;

const harmless: Effect = { kind: "harmless" };
const rescued: Effect = { kind: "rescued" };
const breaks: Effect = { kind: "breaks" };

function strikes(effect: Effect, directives: string, suffix: string = ""): Draft {
  return { effect, directives: `${directives},${RARELY}`, suffix, isSilent: false, isNowhere: false };
}

function silent(effect: Effect, directives: string): Draft {
  return { ...strikes(effect, directives), isSilent: true };
}

function status(code: number, effect: Effect, more: string = ""): Draft {
  return strikes(effect, `status=${code}${more}`, `-${code}${more.replace(/[^a-z]+/g, "-")}`);
}

function refused(code: number): Draft {
  return status(code, { kind: "refused", status: code });
}

const drafts: Readonly<Record<FaultName, readonly Draft[]>> = {
  refuse: [{ effect: rescued, directives: "", suffix: "", isSilent: false, isNowhere: true }],
  status: [
    ...[400, 413, 422].map(refused),
    ...[401, 403, 404, 408, 500, 502, 503, 504, 529].map((code) => status(code, rescued)),
    status(429, rescued),
    status(429, rescued, ",retry-after=far"),
  ],
  "bad-key": [{ ...strikes(rescued, "fault=bad-key:poor"), directives: "fault=bad-key:poor" }],
  "context-length": [strikes({ kind: "refused", status: 400 }, "fault=context-length")],
  "content-filter": [strikes({ kind: "refused", status: 400 }, "fault=content-filter")],
  flapping: [{ ...strikes(rescued, ""), directives: "fault=flapping:3" }],
  "html-instead-of-json": [strikes(rescued, "fault=html-instead-of-json")],
  "reset-before-response": [strikes(rescued, "fault=reset-before-response")],
  "black-hole": [silent(rescued, "fault=black-hole")],
  "slow-headers": [silent(rescued, "fault=slow-headers:500")],
  "headers-then-silence": [silent(rescued, "fault=headers-then-silence")],
  "one-token-then-silence": [silent(breaks, `fault=one-token-then-silence@${MIDDLE}`)],
  "reset-after-headers": [
    strikes(rescued, "fault=reset-after-headers"),
    strikes(breaks, `fault=reset-after-headers@${MIDDLE}`, "-later"),
  ],
  "cut-mid-token": [strikes(breaks, `fault=cut-mid-token@${MIDDLE}`)],
  "cut-between-events": [strikes(breaks, `fault=cut-between-events@${MIDDLE}`)],
  "no-finish": [strikes(breaks, `fault=no-finish@${MIDDLE}`)],
  "error-event-after-200": [strikes(breaks, `fault=error-event-after-200@${MIDDLE}`)],
  "invalid-json": [strikes(breaks, `fault=invalid-json@${MIDDLE}`)],
  "invalid-utf8": [strikes(breaks, `fault=invalid-utf8@${MIDDLE}`)],
  "huge-event": [strikes(breaks, `fault=huge-event:1@${MIDDLE}`)],
  "no-terminal-marker": [strikes(harmless, "fault=no-terminal-marker")],
  "no-usage": [strikes(harmless, "fault=no-usage")],
  "ignore-cancellation": [strikes(harmless, "fault=ignore-cancellation")],
  "wrong-content-type": [strikes(harmless, "fault=wrong-content-type")],
  gzip: [strikes(harmless, "fault=gzip")],
  "slow-drip": [strikes(harmless, "fault=slow-drip:60")],
  bom: [strikes(harmless, "fault=bom")],
  crlf: [strikes(harmless, "fault=crlf")],
  "split-utf8": [strikes(harmless, "fault=split-utf8")],
  "many-events-per-packet": [strikes(harmless, "fault=many-events-per-packet")],
  comments: [strikes(harmless, "fault=comments")],
  "gzip-bomb": [strikes(rescued, "fault=gzip-bomb:4")],
  "huge-body": [strikes(rescued, "fault=huge-body:3")],
};

export const faultCases: readonly FaultCase[] = (Object.keys(drafts) as FaultName[]).flatMap((fault) =>
  drafts[fault].map(({ suffix, ...draft }) => ({ ...draft, fault, name: `${fault}${suffix}` })),
);
