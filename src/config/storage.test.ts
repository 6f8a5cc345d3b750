import assert from "node:assert/strict";
import { test } from "node:test";
import { checkConfig, type ConfigCheck } from "./check.ts";
import { renderProblem } from "./file/problem.ts";
import { effectiveValues } from "./render/effective.ts";

const URL_TEXT = "postgres://headgate:hunter2@db.example:5432/headgate?sslmode=verify-full";

function check(text: string, env: Readonly<Record<string, string>>): ConfigCheck {
  const file = { text, name: "headgate.yaml", path: "/etc/headgate/headgate.yaml" };
  return checkConfig({ file, env, flags: {}, workingDirectory: "/srv", knownProviders: [] });
}

function problemsOf(text: string, env: Readonly<Record<string, string>>): readonly string[] {
  const checked = check(text, env);
  return checked.ok ? [] : checked.problems.map(renderProblem);
}

test("the shared database is named by reference, and its password is never shown", () => {
  const checked = check("storage:\n  postgres: env:DATABASE_URL\n  postgresConnections: 20", {
    DATABASE_URL: URL_TEXT,
  });
  assert.ok(checked.ok);
  const { storage } = checked.loaded.config;
  assert.deepEqual([storage.postgres?.reveal(), storage.postgresConnections], [URL_TEXT, 20]);
  assert.equal(JSON.stringify(effectiveValues(checked.loaded)).includes("hunter2"), false);
});

test("HEADGATE_POSTGRES_URL holds the URL itself, or a reference to it", () => {
  for (const env of [
    { HEADGATE_POSTGRES_URL: URL_TEXT },
    { HEADGATE_POSTGRES_URL: "env:DATABASE_URL", DATABASE_URL: URL_TEXT },
  ]) {
    const checked = check("", env);
    assert.ok(checked.ok);
    assert.equal(checked.loaded.config.storage.postgres?.reveal(), URL_TEXT);
    const shown = effectiveValues(checked.loaded).find(({ path }) => path === "storage.postgres");
    assert.equal(shown?.origin, "HEADGATE_POSTGRES_URL");
    assert.equal(String(shown?.value).includes("hunter2"), false);
  }
});

test("without it the store is a file", () => {
  const checked = check("", {});
  assert.ok(checked.ok);
  assert.equal(checked.loaded.config.storage.postgres, null);
});

test("what is no URL of a PostgreSQL database is refused without quoting it", () => {
  for (const text of ["mysql://root:hunter2@db/app", "db.example", "postgres://db.example", "postgres:///headgate"]) {
    const problem =
      "storage.postgres refers to something that is not the URL of a PostgreSQL database. " +
      "Write postgres://user:password@host:5432/database, with special characters of the password percent-encoded.";
    assert.deepEqual(problemsOf("", { HEADGATE_POSTGRES_URL: text }), [`HEADGATE_POSTGRES_URL: ${problem}`], text);
    const file = "storage:\n  postgres: env:DATABASE_URL";
    assert.deepEqual(problemsOf(file, { DATABASE_URL: text }), [`headgate.yaml:2:13: ${problem}`], text);
  }
});

test("a URL written into the file is refused as every secret is", () => {
  assert.deepEqual(problemsOf(`storage:\n  postgres: ${URL_TEXT}`, {}), [
    "headgate.yaml:2:13: storage.postgres is a key written into the file itself; a key is only referred to. Put it into an environment variable and write `env:NAME`, or into a file of its own and write `file:PATH`.",
  ]);
});
