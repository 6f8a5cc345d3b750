import { after, before, describe, test } from "node:test";
import { furtherFaults } from "../further.ts";
import { answered, type Outcome } from "../outcome.ts";
import { models, upstreams } from "../scene.ts";
import { inOrder } from "./cases.ts";
import { ATTEMPTS_MAX, type ExpectedCall } from "./expected.ts";
import { openCourses, type Courses } from "./scene.ts";
import { listenSilently, type SilentListener } from "../../support/silent-listener.ts";

const CONNECT_MS = 300;

let courses: Courses;
let silent: SilentListener;
before(async () => {
  courses = await openCourses({ timeouts: { connectMs: CONNECT_MS } });
  silent = await listenSilently();
  courses.provide("refusing", { baseUrl: `${await courses.test.simulator.refusedUrl()}/v1` });
  // A label of 64 characters is refused by the resolver itself, without asking anybody.
  courses.provide("nameless", { baseUrl: `http://${"a".repeat(64)}.invalid/v1` });
  courses.provide("plain", { baseUrl: `${courses.test.simulator.url.replace("http:", "https:")}/v1` });
  courses.provide("handshaking", { baseUrl: `https://127.0.0.1:${silent.port}/v1` });
});
after(async () => {
  await courses[Symbol.asyncDispose]();
  await silent[Symbol.asyncDispose]();
});

interface Unreachable {
  readonly provider: string;
  readonly outcome: Outcome;
  /** Of a model with no other target. */
  readonly calls: number;
}

/** What took no time may be tried again; a dial that took all it may have is not. */
const unreachables: readonly Unreachable[] = [
  { provider: "refusing", outcome: furtherFaults["connection refused"].outcome, calls: ATTEMPTS_MAX },
  { provider: "nameless", outcome: furtherFaults["name unknown"].outcome, calls: ATTEMPTS_MAX },
  { provider: "plain", outcome: furtherFaults["not TLS"].outcome, calls: ATTEMPTS_MAX },
  { provider: "handshaking", outcome: furtherFaults["endless handshake"].outcome, calls: 1 },
];

function failedCall(target: string, { code }: Outcome): ExpectedCall {
  return { target, became: "failed", code, charged: "nothing" };
}

for (const { provider, outcome, calls } of unreachables) {
  for (const stream of [false, true]) {
    const asked = stream ? "a stream" : "a whole answer";
    describe(`the provider ${provider}, asked for ${asked},`, { concurrency: true }, () => {
      test(`gets ${calls} ${calls === 1 ? "call" : "calls"} where there is no other, and costs nothing`, async () => {
        const target = `${provider}/m-${stream}`;
        const reply = await courses.ask({ model: target, stream });
        const expected = { ...outcome, calls: Array<ExpectedCall>(calls).fill(failedCall(target, outcome)) };
        await courses.assertCourse(reply, expected, stream);
      });

      for (const upstream of upstreams) {
        test(`is left at once for a target of ${upstream}`, async () => {
          const first = `${provider}/m-before-${upstream}-${stream}`;
          const second = `${models[upstream]}:tokens=20,tag=after-${provider}-${stream}`;
          const model = courses.route(`${provider}-${upstream}-${stream}`, { targets: inOrder(first, second) });
          const rescue = { target: second, became: "answered", code: null, charged: "reported" } as const;
          const expected = { ...answered(), calls: [failedCall(first, outcome), rescue] };
          await courses.assertCourse(await courses.ask({ model, stream }), expected, stream);
        });
      }
    });
  }
}

test("providers that cannot be reached leave the books in order", () => courses.assertBooks());
