/** The measurements of one competitor. Each gives CPU by the operating system and latency as the client saw it. */
import type { Competitor } from "./competitors.ts";
import { NUMBER_PLACE, type NumberSource, postBytes, type LoadTarget } from "./http-client.ts";
import { loadRequests, loadStreams, percentile } from "./load.ts";

export interface Figures {
  /** Microseconds of CPU per request. */
  readonly cpuPerRequestUs?: number;
  readonly requestsPerSecond?: number;
  readonly p50Ms?: number;
  readonly p99Ms?: number;
  readonly cpuPerEventUs?: number;
  readonly firstEventP99Ms?: number;
  readonly gapP99Ms?: number;
  readonly events?: number;
  readonly residentMb?: number;
  readonly kbPerStream?: number;
  readonly failures: number;
}

export interface Sizes {
  readonly requests: number;
  readonly latencyRequests: number;
  readonly streams: number;
  readonly streamTokens: number;
  readonly largeRequests: number;
}

export interface Scenario {
  readonly name: string;
  readonly title: string;
  /** No two of its requests are equal. */
  run(competitor: Competitor, sizes: Sizes, numbers: NumberSource): Promise<Figures | null>;
}

/** Of every answer that is not a stream. */
const SHORT_ANSWER = "tokens=16";
const CONNECTIONS = 32;
const LARGE_PROMPT = "The water rises slowly in the channel below the gate. ".repeat(19_500);

export const scenarios: readonly Scenario[] = [
  {
    name: "requests",
    title: "non-streaming, 32 connections",
    run: (competitor, sizes, numbers) =>
      requestScenario(
        competitor,
        competitor.model(SHORT_ANSWER),
        CONNECTIONS,
        sizes.requests,
        `Hello ${NUMBER_PLACE}`,
        numbers,
      ),
  },
  {
    name: "latency",
    title: "non-streaming, one connection",
    run: (competitor, sizes, numbers) =>
      requestScenario(
        competitor,
        competitor.model(SHORT_ANSWER),
        1,
        sizes.latencyRequests,
        `Hello ${NUMBER_PLACE}`,
        numbers,
      ),
  },
  {
    name: "translation",
    title: "openai-chat in, anthropic-messages out, 32 connections",
    run: async (competitor, sizes, numbers) =>
      competitor.translated === null
        ? null
        : requestScenario(
            competitor,
            competitor.translated(SHORT_ANSWER),
            CONNECTIONS,
            sizes.requests,
            `Hello ${NUMBER_PLACE}`,
            numbers,
          ),
  },
  {
    name: "large-prompt",
    title: "1 MB prompt, 4 connections",
    run: (competitor, sizes, numbers) =>
      requestScenario(
        competitor,
        competitor.model(SHORT_ANSWER),
        4,
        sizes.largeRequests,
        `${NUMBER_PLACE} ${LARGE_PROMPT}`,
        numbers,
      ),
  },
  {
    name: "streams",
    title: "paced streams, one event every 20 ms each",
    run: streamScenario,
  },
];

/** What the simulator is asked for, over all scenarios. */
export function scriptsOf(sizes: Sizes): readonly string[] {
  return [SHORT_ANSWER, pacedStream(sizes)];
}

function pacedStream({ streamTokens }: Sizes): string {
  return `tokens=${streamTokens},rate=50`;
}

async function requestScenario(
  competitor: Competitor,
  model: string,
  connections: number,
  requests: number,
  prompt: string,
  numbers: NumberSource,
): Promise<Figures> {
  const target = chatTarget(competitor, { model, messages: [{ role: "user", content: prompt }] }, numbers);
  await loadRequests(target, connections, Math.min(500, requests));
  const cpuBefore = competitor.process?.cpuUs() ?? 0;
  const load = await loadRequests(target, connections, requests);
  const cpuUs = (competitor.process?.cpuUs() ?? 0) - cpuBefore;
  return {
    ...(competitor.process === null ? {} : { cpuPerRequestUs: cpuUs / load.requests }),
    requestsPerSecond: load.requests / load.seconds,
    p50Ms: percentile(load.latenciesMs, 0.5),
    p99Ms: percentile(load.latenciesMs, 0.99),
    failures: load.failures,
    ...(competitor.process === null ? {} : { residentMb: competitor.process.residentBytes() / 1e6 }),
  };
}

async function streamScenario(competitor: Competitor, sizes: Sizes, numbers: NumberSource): Promise<Figures> {
  const body = {
    model: competitor.model(pacedStream(sizes)),
    stream: true,
    messages: [{ role: "user", content: `Tell me about river ${NUMBER_PLACE}` }],
  };
  const target = chatTarget(competitor, body, numbers);
  const residentBefore = competitor.process?.residentBytes() ?? 0;
  const cpuBefore = competitor.process?.cpuUs() ?? 0;
  let residentPeak = 0;
  const sampler = setInterval(() => {
    residentPeak = Math.max(residentPeak, competitor.process?.residentBytes() ?? 0);
  }, 250);
  const load = await loadStreams(target, sizes.streams);
  clearInterval(sampler);
  const cpuUs = (competitor.process?.cpuUs() ?? 0) - cpuBefore;
  return {
    ...(competitor.process === null
      ? {}
      : { cpuPerEventUs: cpuUs / load.events, kbPerStream: (residentPeak - residentBefore) / 1024 / sizes.streams }),
    events: load.events,
    firstEventP99Ms: percentile(load.firstEventMs, 0.99),
    gapP99Ms: percentile(load.gapsMs, 0.99),
    failures: load.failures,
  };
}

function chatTarget(competitor: Competitor, body: object, numbers: NumberSource): LoadTarget {
  const request = postBytes({
    host: `127.0.0.1:${competitor.port}`,
    path: "/v1/chat/completions",
    key: competitor.key,
    headers: competitor.extraHeaders,
    body: JSON.stringify(body),
  });
  return { host: "127.0.0.1", port: competitor.port, request, numbers };
}
