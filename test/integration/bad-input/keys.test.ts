import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { generateKey } from "../../../src/tenancy/key-format.ts";
import { createKey, revokeKey, type CreatedKey, type KeyOptions } from "../../../src/tenancy/keys.ts";
import type { TenancyDeps } from "../../../src/tenancy/tenancy.ts";
import { systemRandomFill } from "../../../src/kernel/ids.ts";
import { openDatabase } from "../../../src/storage/storage.ts";
import { clock, ids } from "../../contract/engines.ts";
import { eventually } from "../../support/eventually.ts";
import { connectRaw } from "../../support/raw-http.ts";
import { goodBody, Scene, type Expected } from "./scene.ts";

let scene: Scene;
const made: string[] = [];
before(async () => {
  scene = await Scene.open();
});
after(async () => {
  await scene.assertNoSecrets(...made);
  await scene[Symbol.asyncDispose]();
});

function deps(db: TenancyDeps["db"] = scene.test.gateway.store.db): TenancyDeps {
  return { db, clock, ids, randomFill: systemRandomFill };
}

async function makeKey(options: Partial<KeyOptions> = {}): Promise<CreatedKey> {
  const created = await createKey(deps(), { tenant: "default", project: "default" }, { name: "made", ...options });
  made.push(created.plainKey);
  return created;
}

function ask(head: string, body = goodBody, path = "/v1/chat/completions"): string {
  return `POST ${path} HTTP/1.1\r\nhost: test\r\n${head}content-length: ${Buffer.byteLength(body)}\r\n\r\n${body}`;
}

const bearer = (key: string): string => `authorization: Bearer ${key}\r\n`;
const refusedAs = (code: string): Expected => ({ status: 401, code });

describe("a request without a usable key is refused with 401:", () => {
  const missing: Readonly<Record<string, string>> = {
    "no key at all": "",
    "an empty authorization": "authorization: \r\n",
    "a scheme without a key": "authorization: Bearer\r\n",
    "another scheme": "authorization: Basic aGVhZGdhdGU6eA==\r\n",
    "an empty x-api-key": "x-api-key: \r\n",
  };
  for (const [what, head] of Object.entries(missing)) {
    test(what, () => scene.refuses(ask(head), refusedAs("missing_api_key")));
  }

  const malformed: Readonly<Record<string, string>> = {
    "a key of another provider": bearer("sk-proj-0123456789abcdef"),
    "a key cut short": bearer("hg-0123456789"),
    "a key with bytes that are not ASCII": "authorization: Bearer hg-\u00e9\u00ff\u0080\r\n",
    "a key of 8,000 characters": bearer(`hg-${"a".repeat(8_000)}`),
    "a key that is an SQL expression": bearer("' OR 1=1 --"),
    "two keys in one header": bearer("hg-a hg-b"),
  };
  for (const [what, head] of Object.entries(malformed)) {
    test(what, () => {
      const expected = { ...refusedAs("invalid_api_key"), message: /not of the form/ };
      return scene.refuses(Buffer.from(ask(head), "latin1"), expected);
    });
  }

  test("a key of the right form that nobody made", () => {
    const expected = { ...refusedAs("invalid_api_key"), message: /right form, but this gateway does not know it/ };
    return scene.refuses(ask(bearer(generateKey(systemRandomFill))), expected);
  });

  test("the right key with one character changed", async () => {
    const { key } = scene.test;
    const changed = key.slice(0, -1) + (key.endsWith("a") ? "b" : "a");
    await scene.refuses(ask(bearer(changed)), refusedAs("invalid_api_key"));
  });

  test("also for the list of models, and before anything is said about the body", async () => {
    await scene.refuses("GET /v1/models HTTP/1.1\r\nhost: test\r\n\r\n", refusedAs("missing_api_key"));
    await scene.refuses(ask("", "not json"), refusedAs("missing_api_key"));
  });

  test("and the answer says how to send one", async () => {
    const response = await scene.send(ask(""));
    assert.equal(response.headers["www-authenticate"], 'Bearer realm="headgate"');
    assert.equal(response.headers["x-should-retry"], "false");
  });
});

describe("a key", () => {
  for (const name of ["x-api-key", "api-key", "x-goog-api-key"]) {
    test(`is taken from ${name}`, async () => {
      const response = await scene.send(ask(`${name}: ${scene.test.key}\r\n`));
      assert.equal(response.status, 200);
      scene.test.simulator.reset();
    });
  }

  test("stops being taken at the moment it expires, although it was in use", async () => {
    const { plainKey } = await makeKey({ expiresAtMs: clock.wallMs() + 100 });
    assert.equal((await scene.send(ask(bearer(plainKey)))).status, 200);
    const refused = await eventually("the key expires", async () => {
      const response = await scene.send(ask(bearer(plainKey)));
      return response.status === 401 ? response : null;
    });
    scene.test.simulator.reset();
    await scene.assertRefused(refused, { ...refusedAs("expired_api_key"), message: /expired at 20\d\d-/ });
    await scene.assertServes();
  });
});

describe("a key that is revoked is refused from the next request on:", () => {
  test("by another connection to the store", async () => {
    const { key, plainKey } = await makeKey();
    assert.equal((await scene.send(ask(bearer(plainKey)))).status, 200);
    scene.test.simulator.reset();
    const db = openDatabase({ dataDir: scene.test.dataDir, durability: "process" });
    await revokeKey(deps(db), key.id);
    await db.destroy();
    await scene.refuses(ask(bearer(plainKey)), refusedAs("revoked_api_key"));
  });

  test("by another process", async () => {
    const { key, plainKey } = await makeKey();
    assert.equal((await scene.send(ask(bearer(plainKey)))).status, 200);
    scene.test.simulator.reset();
    const child = join(import.meta.dirname, "../../contract/children/revoke.ts");
    const place = JSON.stringify({ dataDir: scene.test.dataDir, durability: "process" });
    const { status } = spawnSync(process.execPath, [child, place, key.id], { stdio: "inherit" });
    assert.equal(status, 0);
    await scene.refuses(ask(bearer(plainKey)), refusedAs("revoked_api_key"));
  });

  test("on a connection that is kept alive", async () => {
    const { key, plainKey } = await makeKey();
    using connection = await connectRaw(scene.test.url);
    connection.write(ask(bearer(plainKey)));
    assert.equal((await connection.read())?.status, 200);
    scene.test.simulator.reset();
    await revokeKey(deps(), key.id);
    connection.write(ask(bearer(plainKey)));
    const response = await connection.read();
    assert.ok(response);
    await scene.assertRefused(scene.seen(response), refusedAs("revoked_api_key"));
    connection.write(scene.post(goodBody));
    assert.equal((await connection.read())?.status, 200, "the connection serves other keys");
    scene.test.simulator.reset();
  });
});
