import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { describe, test } from "node:test";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { systemRandomFill } from "../../src/kernel/ids.ts";
import type { Store } from "../../src/storage/storage.ts";
import { createAuthenticator } from "../../src/tenancy/authenticator.ts";
import { createFirstKey } from "../../src/tenancy/first-key.ts";
import { generateKey } from "../../src/tenancy/key-format.ts";
import { createKey, revokeKey, rotateKey } from "../../src/tenancy/keys.ts";
import type { CreatedKey } from "../../src/tenancy/keys.ts";
import type { Authenticator } from "../../src/tenancy/principal.ts";
import { setProjectDisabled } from "../../src/tenancy/projects.ts";
import type { TenancyDeps } from "../../src/tenancy/tenancy.ts";
import { setTenantDisabled } from "../../src/tenancy/tenants.ts";
import { eventually } from "../support/eventually.ts";
import { createVirtualClock } from "../support/virtual-clock.ts";
import type { VirtualClock } from "../support/virtual-clock.ts";
import { engines, ids } from "./engines.ts";
import type { Place } from "./engines.ts";

function throws(call: () => unknown): boolean {
  try {
    call();
    return false;
  } catch {
    return true;
  }
}

const revokeScript = fileURLToPath(new URL("./children/revoke.ts", import.meta.url));
const defaultProject = { tenant: "default", project: "default" };

interface Bench extends AsyncDisposable {
  readonly store: Store;
  readonly clock: VirtualClock;
  readonly deps: TenancyDeps;
  readonly first: CreatedKey;
  readonly authenticator: Authenticator;
}

async function openBench(place: Place): Promise<Bench> {
  const clock = createVirtualClock();
  const store = await place.openStore({ clock });
  const deps = { db: store.db, clock, ids, randomFill: systemRandomFill };
  const first = await createFirstKey(deps);
  assert.ok(first !== null);
  const authenticator = createAuthenticator({ keys: store.keys, clock });
  return { store, clock, deps, first, authenticator, [Symbol.asyncDispose]: () => store[Symbol.asyncDispose]() };
}

for (const engine of engines) {
  describe(`authenticator on ${engine.name}`, () => {
    test("a key's principal names its tenant, project, key, models and metadata", async () => {
      await using place = await engine.createPlace();
      await using bench = await openBench(place);
      const { key, plainKey } = await createKey(bench.deps, defaultProject, {
        name: "batch",
        modelAllowList: ["gpt-*"],
        metadata: { team: "search" },
      });
      assert.deepEqual(bench.authenticator.authenticate(plainKey), {
        payer: { tenantId: key.tenantId, projectId: key.projectId, keyId: key.id },
        keyName: "batch",
        tenantName: "default",
        modelAllowList: ["gpt-*"],
        metadata: { team: "search" },
      });
    });

    test("no key, an unknown key and a mistyped key are refused, the last with a hint", async () => {
      await using place = await engine.createPlace();
      await using bench = await openBench(place);
      const { plainKey } = bench.first;
      const mistyped = plainKey.slice(0, -1) + (plainKey.endsWith("0") ? "1" : "0");
      assert.throws(() => bench.authenticator.authenticate(null), { code: "missing_api_key" });
      assert.throws(() => bench.authenticator.authenticate("sk-other"), { code: "invalid_api_key", message: /form/ });
      assert.throws(() => bench.authenticator.authenticate(mistyped), {
        code: "invalid_api_key",
        message: /copied whole/,
      });
      assert.throws(() => bench.authenticator.authenticate(mistyped), { code: "invalid_api_key" });
    });

    test("a key revoked by another process is refused on the very next call", async () => {
      await using place = await engine.createPlace();
      await using bench = await openBench(place);
      bench.authenticator.authenticate(bench.first.plainKey);
      await promisify(execFile)(process.execPath, [revokeScript, JSON.stringify(place.options), bench.first.key.id]);
      const authenticate = (): unknown => bench.authenticator.authenticate(bench.first.plainKey);
      // From a shared database word of it comes by notification, in a moment; in one file it is there at once.
      if (engine.name === "postgres") await eventually("the key is refused", () => throws(authenticate));
      assert.throws(authenticate, { code: "revoked_api_key" });
    });

    test("a key revoked by this process is refused on the very next call, even in the same turn", async () => {
      await using place = await engine.createPlace();
      await using bench = await openBench(place);
      bench.authenticator.authenticate(bench.first.plainKey);
      await revokeKey(bench.deps, bench.first.key.id);
      assert.throws(() => bench.authenticator.authenticate(bench.first.plainKey), { code: "revoked_api_key" });
    });

    test("a key that was unknown is accepted as soon as it exists", async () => {
      await using place = await engine.createPlace();
      await using bench = await openBench(place);
      const randomFill = (buffer: Uint8Array): void => void buffer.fill(7);
      const plainKey = generateKey(randomFill);
      assert.throws(() => bench.authenticator.authenticate(plainKey), { code: "invalid_api_key" });
      const created = await createKey({ ...bench.deps, randomFill }, defaultProject, { name: "late" });
      assert.equal(created.plainKey, plainKey);
      assert.equal(bench.authenticator.authenticate(plainKey).payer.keyId, created.key.id);
    });

    test("a cached key is refused once its time has come", async () => {
      await using place = await engine.createPlace();
      await using bench = await openBench(place);
      const { plainKey } = await createKey(bench.deps, defaultProject, {
        name: "day",
        expiresAtMs: bench.clock.wallMs() + 1000,
      });
      bench.clock.advance(999);
      bench.authenticator.authenticate(plainKey);
      bench.clock.advance(1);
      assert.throws(() => bench.authenticator.authenticate(plainKey), { code: "expired_api_key" });
    });

    test("a rotated key is accepted until its overlap is over, its successor from now on", async () => {
      await using place = await engine.createPlace();
      await using bench = await openBench(place);
      const next = await rotateKey(bench.deps, bench.first.key.id, 60_000);
      bench.authenticator.authenticate(bench.first.plainKey);
      bench.authenticator.authenticate(next.plainKey);
      bench.clock.advance(60_000);
      assert.throws(() => bench.authenticator.authenticate(bench.first.plainKey), { code: "expired_api_key" });
      assert.equal(bench.authenticator.authenticate(next.plainKey).keyName, "default");
    });

    test("a disabled project or tenant refuses its keys, saying which, until it is enabled", async () => {
      await using place = await engine.createPlace();
      await using bench = await openBench(place);
      const authenticate = (): unknown => bench.authenticator.authenticate(bench.first.plainKey);
      await setProjectDisabled(bench.deps, defaultProject, true);
      assert.throws(authenticate, { code: "revoked_api_key", message: /project/ });
      await setTenantDisabled(bench.deps, "default", true);
      assert.throws(authenticate, { code: "revoked_api_key", message: /tenant/ });
      await setTenantDisabled(bench.deps, "default", false);
      await setProjectDisabled(bench.deps, defaultProject, false);
      assert.doesNotThrow(authenticate);
    });
  });
}
