import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { systemRandomFill } from "../../../src/kernel/ids.ts";
import { createKey } from "../../../src/tenancy/keys.ts";
import { clock, ids } from "../../contract/engines.ts";
import { Scene, type Expected } from "./scene.ts";

let scene: Scene;
let limitedKey = "";
before(async () => {
  scene = await Scene.open({
    models: { fast: { targets: [{ model: "simulator/sim-mini", weight: 1 }] } },
    prices: { unknownModel: "refuse" },
  });
  const deps = { db: scene.test.gateway.store.db, clock, ids, randomFill: systemRandomFill };
  const modelAllowList = ["simulator/sim-mini*"];
  const project = { tenant: "default", project: "default" };
  limitedKey = (await createKey(deps, project, { name: "limited", modelAllowList })).plainKey;
});
after(async () => {
  await scene.assertNoSecrets(limitedKey);
  await scene[Symbol.asyncDispose]();
});

const chat = (fields: Readonly<Record<string, unknown>>): string =>
  JSON.stringify({ messages: [{ role: "user", content: "Hi" }], ...fields });

function withKey(key: string, body: string): string {
  const head = `authorization: Bearer ${key}\r\ncontent-length: ${Buffer.byteLength(body)}\r\n`;
  return `POST /v1/chat/completions HTTP/1.1\r\nhost: test\r\n${head}\r\n${body}`;
}

describe("a model that nobody serves is refused with 404", () => {
  const notFound = (message: RegExp): Expected => ({ status: 404, code: "model_not_found", param: "model", message });

  for (const [asked, near] of [
    ["simulater/sim-chat", "simulator/sim-chat"],
    ["fsat", "fast"],
    ["Simulator/Sim-Chat", "simulator/sim-chat"],
  ] as const) {
    test(`${asked}: suggests ${near}`, () =>
      scene.refuses(scene.post(chat({ model: asked })), notFound(new RegExp(`Did you mean .*${near}`))));
  }

  test("and nothing is suggested where nothing is near", () =>
    scene.refuses(scene.post(chat({ model: "zzzzzzzzzzzz" })), notFound(/^(?!.*Did you mean)/)));

  for (const odd of ["/", "simulator/", "/sim-chat", " ", "__proto__", "constructor", "\u0000", "💧".repeat(2_000)]) {
    test(`a name such as ${JSON.stringify(odd.slice(0, 12))}`, () =>
      scene.refuses(scene.post(chat({ model: odd })), notFound(/./)));
  }

  test("also when it is looked up", async () => {
    const head = `host: test\r\nauthorization: Bearer ${scene.test.key}\r\n\r\n`;
    await scene.refuses(`GET /v1/models/fsat HTTP/1.1\r\n${head}`, notFound(/fast/));
    await scene.refuses(`GET /v1/models/%ff%2f..%2f HTTP/1.1\r\n${head}`, notFound(/./));
  });
});

describe("a model without a price is refused where the operator says so", () => {
  test("with the name of the option that would change it", () =>
    scene.refuses(scene.post(chat({ model: "simulator/unheard-of" })), {
      status: 400,
      code: "unpriced_model",
      param: "model",
      message: /prices\.overrides/,
    }));
});

describe("a model outside the allow-list of the key", () => {
  const notAllowed: Expected = { status: 403, code: "model_not_allowed", param: "model" };

  test("is refused with 403", () =>
    scene.refuses(withKey(limitedKey, chat({ model: "simulator/sim-chat" })), notAllowed));

  test("is refused under any name that leads to it", () =>
    scene.refuses(withKey(limitedKey, chat({ model: "sim-chat" })), notAllowed));

  test("is not listed, and cannot be looked up", async () => {
    const head = `host: test\r\nauthorization: Bearer ${limitedKey}\r\n\r\n`;
    const listed = await scene.send(`GET /v1/models HTTP/1.1\r\n${head}`);
    const names = JSON.parse(listed.body.toString("utf8")).data.map(({ id }: { id: string }) => id);
    assert.deepEqual(names, ["fast", "simulator/sim-mini"]);
    await scene.refuses(`GET /v1/models/simulator%2Fsim-chat HTTP/1.1\r\n${head}`, {
      status: 404,
      code: "model_not_found",
      param: "model",
      message: /^(?!.*sim-chat.*sim-chat)/,
    });
  });

  test("does not keep the key from an alias that leads to an allowed one", async () => {
    const response = await scene.send(withKey(limitedKey, chat({ model: "fast" })));
    assert.equal(response.status, 200);
    scene.test.simulator.reset();
  });
});

describe("a field that a translated target cannot carry is refused by name:", () => {
  const claude = "simulator-anthropic/sim-claude:tokens=3";
  const cases: readonly (readonly [Readonly<Record<string, unknown>>, string])[] = [
    [{ n: 2 }, "n"],
    [{ logit_bias: { "50256": -100 } }, "logit_bias"],
    [{ presence_penalty: 1 }, "presence_penalty"],
    [{ frequency_penalty: 0.5 }, "frequency_penalty"],
    [{ verbosity: "low" }, "verbosity"],
    [{ web_search_options: {} }, "web_search_options"],
    [{ functions: [{ name: "f" }] }, "functions"],
    [{ some_new_field: true }, "some_new_field"],
    [{ response_format: { type: "grammar" } }, "response_format.type"],
  ];
  for (const [fields, param] of cases) {
    test(JSON.stringify(fields), () =>
      scene.refuses(scene.post(chat({ model: claude, ...fields })), {
        status: 400,
        code: "unsupported_parameter",
        param,
        message: new RegExp(param),
      }),
    );
  }

  test("and an operation that it does not have, by the model", () => {
    const body = JSON.stringify({ model: "simulator-anthropic/sim-claude", input: "Hi" });
    return scene.refuses(scene.post(body, "", "/v1/embeddings"), {
      status: 400,
      code: "unsupported_capability",
      param: "model",
    });
  });

  test("while one that does not change the answer is left out and reported", async () => {
    const response = await scene.send(scene.post(chat({ model: claude, max_tokens: 9, seed: 7, store: true })));
    assert.equal(response.status, 200);
    assert.equal(response.headers["x-headgate-dropped"], "seed, store");
    scene.test.simulator.reset();
  });
});

describe("a deadline that makes no sense is refused by the header's name:", () => {
  for (const value of ["soon", "0", "-5", "1e99", "86400001", "10, 20"]) {
    test(value, () => {
      const head = `x-headgate-deadline-ms: ${value}\r\n`;
      return scene.refuses(scene.post(chat({ model: "simulator/sim-chat" }), head), {
        status: 400,
        code: "invalid_header",
        param: "x-headgate-deadline-ms",
      });
    });
  }
});
