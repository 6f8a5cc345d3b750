import assert from "node:assert/strict";
import type { OutgoingHttpHeaders } from "node:http";
import { after, before, test } from "node:test";
import { startLocalServer, type LocalServer } from "../../support/local-server.ts";
import { misconfiguredLines } from "../lines/misconfigured.ts";
import { kindOf, models } from "../asker.ts";
import { testLines, type Strike } from "../test-lines.ts";
import { assertAloneAndBeside } from "./alone-and-beside.ts";
import { openCourses, SIDE_BY_SIDE, type Courses } from "./scene.ts";

/** A head by the beginning of the path. */
const heads: Readonly<Record<string, { readonly status: number; readonly headers: OutgoingHttpHeaders }>> = {
  redirect: { status: 308, headers: { location: "/elsewhere/v1" } },
  encoded: { status: 200, headers: { "content-type": "application/json", "content-encoding": "rot13" } },
  refused: { status: 400, headers: { "content-type": "application/json", "content-encoding": "rot13" } },
};

let courses: Courses;
let provider: LocalServer;
before(async () => {
  courses = await openCourses({});
  provider = await startLocalServer((request, response) => {
    const head = heads[request.url?.split("/")[1] ?? ""];
    request.resume().on("end", () => response.writeHead(head?.status ?? 501, head?.headers).end("{}"));
  });
});
after(async () => {
  await courses[Symbol.asyncDispose]();
  await provider[Symbol.asyncDispose]();
});

/** Each case has a provider and targets of its own. */
let struck = 0;

function strikeWith(name: keyof typeof misconfiguredLines, path: keyof typeof heads, says: RegExp): Strike {
  return async (one) => {
    const tag = `misconfigured-${++struck}`;
    const served = models[one.upstream].slice(models[one.upstream].indexOf("/"));
    courses.provide(tag, { baseUrl: `${provider.url}/${path}/v1` }, kindOf(one.upstream));
    const alone = await assertAloneAndBeside(
      courses,
      misconfiguredLines[name],
      one,
      [`${tag}${served}`, `${tag}${served}`],
      tag,
    );
    assert.match(JSON.parse(alone.text).error.message, says);
    if (misconfiguredLines[name].next === "elsewhere") assert.equal(alone.headers["x-should-retry"], "false");
  };
}

testLines(
  misconfiguredLines,
  {
    redirect: strikeWith("redirect", "redirect", /redirect \(308\)/),
    "unknown encoding": strikeWith("unknown encoding", "encoded", /content encoding "rot13"/),
    "refusal in unknown encoding": strikeWith("refusal in unknown encoding", "refused", /400/),
  },
  { sideBySide: SIDE_BY_SIDE },
);

test("providers that are set up wrongly leave the books in order", () => courses.assertBooks());
