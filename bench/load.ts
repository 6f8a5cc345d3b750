/** The shapes of load: many connections as fast as they go, one connection for latency, many paced streams. */
import { setTimeout as pause } from "node:timers/promises";
import { LoadConnection, type LoadTarget } from "./http-client.ts";

export interface RequestLoad {
  readonly requests: number;
  readonly failures: number;
  readonly seconds: number;
  /** Milliseconds, sorted. */
  readonly latenciesMs: readonly number[];
}

export interface StreamLoad {
  readonly streams: number;
  readonly failures: number;
  readonly seconds: number;
  readonly events: number;
  readonly firstEventMs: readonly number[];
  readonly gapsMs: readonly number[];
}

/** `connections` clients send one request after the other until `requests` were sent in all. */
export async function loadRequests(target: LoadTarget, connections: number, requests: number): Promise<RequestLoad> {
  const latenciesMs: number[] = [];
  let left = requests;
  let failures = 0;
  const clients = Array.from({ length: connections }, () => new LoadConnection(target));
  await Promise.all(clients.map((client) => client.open()));
  const startedMs = performance.now();
  await Promise.all(
    clients.map(async (client) => {
      while (left-- > 0) {
        const sentMs = performance.now();
        if ((await client.exchange()) !== 200) failures++;
        latenciesMs.push(performance.now() - sentMs);
      }
    }),
  );
  const seconds = (performance.now() - startedMs) / 1000;
  for (const client of clients) client.close();
  return { requests: latenciesMs.length, failures, seconds, latenciesMs: latenciesMs.sort((a, b) => a - b) };
}

/** Opens `streams` streams spread over a second and reads each to its end. */
export async function loadStreams(target: LoadTarget, streams: number): Promise<StreamLoad> {
  const firstEventMs: number[] = [];
  const gapsMs: number[] = [];
  let events = 0;
  let failures = 0;
  const startedMs = performance.now();
  await Promise.all(
    Array.from({ length: streams }, async (_, index) => {
      await pause((index * 1000) / streams);
      const client = new LoadConnection(target);
      await client.open();
      const sentMs = performance.now();
      let lastMs = 0;
      const status = await client.exchange({
        onBody(chunk) {
          const nowMs = performance.now();
          events += countEvents(chunk);
          if (lastMs === 0) firstEventMs.push(nowMs - sentMs);
          else gapsMs.push(nowMs - lastMs);
          lastMs = nowMs;
        },
      });
      if (status !== 200) failures++;
      client.close();
    }),
  );
  const seconds = (performance.now() - startedMs) / 1000;
  const ascending = (a: number, b: number): number => a - b;
  return {
    streams,
    failures,
    seconds,
    events,
    firstEventMs: firstEventMs.sort(ascending),
    gapsMs: gapsMs.sort(ascending),
  };
}

/** `share` 0.5 is the median. `values` sorted. */
export function percentile(values: readonly number[], share: number): number {
  return values[Math.min(values.length - 1, Math.floor(values.length * share))] ?? Number.NaN;
}

const EVENT_END = Buffer.from("\n\n");

function countEvents(chunk: Buffer): number {
  let count = 0;
  for (let at = chunk.indexOf(EVENT_END); at !== -1; at = chunk.indexOf(EVENT_END, at + 2)) count++;
  return count;
}
