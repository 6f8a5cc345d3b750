import assert from "node:assert/strict";
import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { after, before, test } from "node:test";
import { createServer } from "node:tls";
import { listenSilently, type SilentListener } from "../../support/silent-listener.ts";
import { unreachableLines } from "../lines/unreachable.ts";
import { kindOf } from "../asker.ts";
import { testLines, type Strike } from "../test-lines.ts";
import { assertAloneAndBeside } from "./alone-and-beside.ts";
import { openCourses, SIDE_BY_SIDE, type Courses } from "./scene.ts";

const CONNECT_MS = 300;

let courses: Courses;
let silent: SilentListener;
/** Without a certificate there is no handshake that a client could accept. */
const bare = createServer({});
before(async () => {
  courses = await openCourses({});
  silent = await listenSilently();
  await once(bare.listen(0, "127.0.0.1"), "listening");
});
after(async () => {
  await courses[Symbol.asyncDispose]();
  await silent[Symbol.asyncDispose]();
  await once(bare.close(), "close");
});

/** Each case has providers and targets of its own. */
let struck = 0;

/** A provider at this address is called by a model with no other target, and by one that has another. */
function strikeAt(
  name: keyof typeof unreachableLines,
  baseUrl: () => Promise<string> | string,
  says: RegExp,
  timeouts: { readonly connectMs?: number } = {},
): Strike {
  return async (one) => {
    const tag = `out-of-reach-${++struck}`;
    courses.provide(tag, { baseUrl: await baseUrl(), timeouts }, kindOf(one.upstream));
    const alone = await assertAloneAndBeside(courses, unreachableLines[name], one, [`${tag}/m`, `${tag}/m`], tag);
    assert.match(JSON.parse(alone.text).error.message, says);
  };
}

const strikes: Readonly<Record<keyof typeof unreachableLines, Strike>> = {
  "connection refused": strikeAt(
    "connection refused",
    async () => `${await courses.test.simulator.refusedUrl()}/v1`,
    /could not be reached.*ECONNREFUSED/,
  ),
  // A label of 64 characters is refused by the resolver itself, without asking anybody.
  "name unknown": strikeAt(
    "name unknown",
    () => `http://${"a".repeat(64)}.invalid/v1`,
    /could not be reached.*(ENOTFOUND|EAI_)/,
  ),
  "not TLS": strikeAt(
    "not TLS",
    () => `${courses.test.simulator.url.replace("http:", "https:")}/v1`,
    /could not be reached.*(SSL|EPROTO)/,
  ),
  "failed handshake": strikeAt(
    "failed handshake",
    () => `https://127.0.0.1:${(bare.address() as AddressInfo).port}/v1`,
    /could not be reached.*(SSL|EPROTO)/,
  ),
  "endless handshake": strikeAt(
    "endless handshake",
    () => `https://127.0.0.1:${silent.port}/v1`,
    /No connection to provider \S+ within 300 ms/,
    { connectMs: CONNECT_MS },
  ),
};

testLines(unreachableLines, strikes, { sideBySide: SIDE_BY_SIDE });

test("providers that cannot be reached leave the books in order", () => courses.assertBooks());
