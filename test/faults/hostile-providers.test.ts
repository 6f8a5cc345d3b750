import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { eventually } from "../support/eventually.ts";
import { captureLog, everyRow } from "../support/evidence.ts";
import { recordsOf } from "./books.ts";
import { beginWhole, wholeInPieces } from "./hand-written.ts";
import { besides } from "./lines/besides.ts";
import { failed } from "./outcome.ts";
import { openScene } from "./scene.ts";
import { answerText } from "./speech.ts";
import { upstreams } from "./table.ts";
import { startUpstream } from "./upstream-server.ts";

/** That a test may take, with all that runs beside it. */
const GROWN_MB_MAX = 100;

test(besides.boundlessBody, async () => {
  await using scene = await openScene();
  for (const fault of ["gzip-bomb:1024", "huge-body:1024"]) {
    for (const upstream of upstreams) {
      for (const stream of [false, true]) {
        const beforeKb = process.resourceUsage().maxRSS;
        const asked = scene.ask({ upstream, script: `fault=${fault}`, stream });
        const outcome = failed(502, "upstream_too_large", { charged: "input estimate" });
        await scene.check(asked, { outcome, stream, caller: "openai-chat" });
        const grownMb = (process.resourceUsage().maxRSS - beforeKb) / 1024;
        assert.ok(grownMb < GROWN_MB_MAX, `${fault} of ${upstream}: memory grew by ${Math.round(grownMb)} MB`);
      }
    }
  }
  await scene.assertBooks();
});

test(besides.brokenAfterWhole, async () => {
  await using scene = await openScene();
  for (const upstream of upstreams) {
    await using server = await startUpstream((_, response) => {
      beginWhole(response);
      response.write(wholeInPieces(upstream, 1)[0], () => response.destroy());
    });
    const provider = `breaking-${upstream}`;
    scene.provide(provider, upstream, { baseUrl: server.url });
    const asked = scene.ask({ upstream, provider });
    const reply = await asked.reply;
    assert.deepEqual([reply.status, answerText(reply, false)], [200, "Hi"]);
    const row = await eventually("a record", () => recordsOf(scene.books, asked).executeTakeFirst());
    assert.deepEqual([row.ending, row.attempts, row.basis], ["complete", 1, "reported"]);
  }
});

describe(besides.quotedKey, () => {
  for (const status of [401, 402, 403]) {
    test(`with status ${status}`, async () => {
      const log = captureLog();
      await using scene = await openScene({}, { logger: log.logger });
      await using upstream = await startUpstream(({ headers }, response) => {
        const error = { message: `Incorrect key: ${headers.authorization}`, type: headers.authorization };
        response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify({ error }));
      });
      const { gateway } = scene.test;
      upstream.serveAs(gateway, "quoting", "sk-very-secret-key");
      for (const stream of [false, true]) {
        const asked = scene.ask({ provider: "quoting", stream });
        const reply = await asked.reply;
        assert.doesNotMatch(reply.text + JSON.stringify(reply.headers), /very-secret/);
        await scene.check(asked, { outcome: failed(502, "upstream_credentials"), stream, caller: "openai-chat" });
      }
      assert.equal(upstream.requests, 2);
      assert.match(log.text(), /upstream_credentials/);
      assert.doesNotMatch(log.text() + (await everyRow(gateway)), /very-secret/);
    });
  }
});
