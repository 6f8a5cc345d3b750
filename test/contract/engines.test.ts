import assert from "node:assert/strict";
import { test } from "node:test";
import { postgresMissing } from "../support/postgres.ts";
import { engines } from "./engines.ts";

test("contract suites run on PostgreSQL, too", (context) => {
  if (postgresMissing !== false) return context.skip(postgresMissing);
  assert.deepEqual(
    engines.map((engine) => engine.name),
    ["sqlite", "postgres"],
  );
});
