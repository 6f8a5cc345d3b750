/**
 * Faults that are not the simulator's to inject: the way to a provider, time, callers, the store and the gateway's own
 * end. Each has a test of its own that checks this outcome; together with the table they are docs/reference/faults.md.
 */
import { brokenOff, callerGone, failed, type Outcome } from "./outcome.ts";
import type { Next } from "./table.ts";

export interface FurtherFault {
  readonly title: string;
  readonly outcome: Outcome;
  /** Where it is a provider's fault. Default `nothing`. */
  readonly next?: Next;
}

export type FurtherName =
  | "connection refused"
  | "name unknown"
  | "not TLS"
  | "endless handshake"
  | "deadline before output"
  | "deadline in stream"
  | "deadline before call"
  | "total time in stream"
  | "total time"
  | "gone before body"
  | "gone waiting"
  | "gone in stream"
  | "gone waiting, drained"
  | "gone in stream, drained"
  | "never reads"
  | "at the limit"
  | "stopped waiting"
  | "stopped in stream"
  | "stopped in body"
  | "store refuses hold"
  | "store refuses record";

const unreachable = failed(502, "upstream_unreachable");
const overdue = { ending: "timeout" } as const;
const stopped = { ending: "shutdown", retryAfter: 1 } as const;
const unwritten = { ending: "gateway-error", retryAfter: 1 } as const;

export const furtherFaults: Readonly<Record<FurtherName, FurtherFault>> = {
  "connection refused": { title: "The provider refuses the connection", outcome: unreachable, next: "again" },
  "name unknown": { title: "The provider's name does not resolve", outcome: unreachable, next: "again" },
  "not TLS": { title: "The provider does not speak TLS where TLS is expected", outcome: unreachable, next: "again" },
  "endless handshake": {
    title: "The dial or the handshake takes longer than `timeouts.connectMs`",
    outcome: failed(504, "connect_timeout", overdue),
    next: "elsewhere",
  },
  "deadline before output": {
    title: "The caller's deadline passes before any output",
    outcome: failed(504, "deadline_exceeded", { ...overdue, charged: "input estimate" }),
  },
  "deadline in stream": {
    title: "The caller's deadline passes in mid-stream",
    outcome: brokenOff("deadline_exceeded", "timeout"),
  },
  "deadline before call": {
    title: "The caller's deadline passes before a provider could be called",
    outcome: failed(504, "deadline_exceeded", { ...overdue, attempts: 0 }),
  },
  "total time in stream": {
    title: "A stream takes longer than `timeouts.totalMs`",
    outcome: brokenOff("total_timeout", "timeout"),
  },
  "total time": {
    title: "A whole answer takes longer than `timeouts.totalMs`",
    outcome: failed(504, "total_timeout", { ...overdue, charged: "input estimate" }),
  },
  "gone before body": {
    title: "The caller leaves before the request is complete",
    outcome: callerGone(499, "nothing", 0),
  },
  "gone waiting": {
    title: "The caller leaves while waiting for the answer; the provider is told within 100 ms",
    outcome: callerGone(499, "input estimate"),
  },
  "gone in stream": {
    title: "The caller leaves in mid-stream; the provider is told within 100 ms, and may ignore it",
    outcome: callerGone(200, "estimate"),
  },
  "gone waiting, drained": {
    title: "The caller leaves while waiting for the answer, with `callerGone: drain`",
    outcome: callerGone(499, "drained"),
  },
  "gone in stream, drained": {
    title: "The caller leaves in mid-stream, with `callerGone: drain`",
    outcome: callerGone(200, "drained"),
  },
  "never reads": {
    title: "The caller reads nothing for `timeouts.idleMs`; the provider is paused meanwhile",
    outcome: callerGone(200, "estimate"),
  },
  "at the limit": {
    title: "`limits.concurrentRequests` are running already",
    outcome: failed(503, "overloaded", { ending: "refused", retryAfter: 1, attempts: 0 }),
  },
  "stopped waiting": {
    title: "The gateway is stopped before the answer began",
    outcome: failed(503, "shutting_down", { ...stopped, charged: "input estimate" }),
  },
  "stopped in stream": {
    title: "The gateway is stopped and the grace period ends in mid-stream",
    outcome: brokenOff("shutting_down", "shutdown"),
  },
  "stopped in body": {
    title: "The gateway is stopped while the request's body arrives",
    outcome: failed(503, "shutting_down", { ...stopped, attempts: 0 }),
  },
  "store refuses hold": {
    title: "The store cannot be written before the call (locked for five seconds, or failing)",
    outcome: failed(503, "storage_unavailable", { ...unwritten, attempts: 0 }),
  },
  "store refuses record": {
    title: "The store cannot be written after a stream; it is written when it can be",
    outcome: brokenOff("storage_unavailable", "gateway-error", "reported"),
  },
};
