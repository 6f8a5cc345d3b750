import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { startLocalServer, type LocalServer } from "../../support/local-server.ts";
import { stalledLines } from "../lines/stalled.ts";
import { kindOf } from "../asker.ts";
import { testLines, type Strike } from "../test-lines.ts";
import { assertAloneAndBeside } from "./alone-and-beside.ts";
import { openCourses, SIDE_BY_SIDE, type Courses } from "./scene.ts";

const ENDING_MS = 200;
/** Two requests, each of which would take `timeouts.totalMs` otherwise: ten minutes. */
const SOON_MS = 20_000;

let courses: Courses;
/** Its path begins with the status that it refuses with. */
let provider: LocalServer;
before(async () => {
  courses = await openCourses({ timeouts: { endingMs: ENDING_MS } });
  provider = await startLocalServer((request, response) => {
    request.resume();
    const status = Number(request.url?.split("/")[1]);
    const wait = status === 400 ? {} : { "retry-after": "60" };
    response.writeHead(status, { "content-type": "application/json", ...wait });
    response.write('{"error": {"message": "No');
  });
});
after(async () => {
  await courses[Symbol.asyncDispose]();
  await provider[Symbol.asyncDispose]();
});

/** Each case has a provider and targets of its own. */
let struck = 0;

function strikeWith(status: 400 | 429 | 503): Strike {
  return async (one) => {
    const tag = `stalled-${++struck}`;
    // A target that limits its rate is not called again in a minute.
    const targets = [`${tag}-only/m`, `${tag}-first/m`] as const;
    for (const name of [`${tag}-only`, `${tag}-first`]) {
      courses.provide(name, { baseUrl: `${provider.url}/${status}/v1` }, kindOf(one.upstream));
    }
    const startedMs = performance.now();
    await assertAloneAndBeside(courses, stalledLines[status], one, targets, tag);
    assert.ok(performance.now() - startedMs < SOON_MS);
  };
}

testLines(
  stalledLines,
  { "400": strikeWith(400), "429": strikeWith(429), "503": strikeWith(503) },
  { sideBySide: SIDE_BY_SIDE },
);

test("refusals that do not end leave the books in order", () => courses.assertBooks());
