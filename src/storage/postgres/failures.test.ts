import assert from "node:assert/strict";
import { test } from "node:test";
import { DatabaseError } from "pg";
import { HeadgateError } from "../../kernel/errors.ts";
import { isRefused, isRowFault, toStorageError } from "./failures.ts";

function answered(code: string): DatabaseError {
  const error = new DatabaseError(`failed with ${code}`, 0, "error");
  error.code = code;
  return error;
}

test("what passes with time is storage_unavailable, with its reason", () => {
  const passing = ["08006", "53300", "57P01", "57P03", "57014", "55P03", "40001", "40P01", "25006"];
  const errors = [
    ...passing.map(answered),
    new Error("Connection terminated unexpectedly"),
    new Error("Query read timeout"),
  ];
  for (const error of errors) {
    const mapped = toStorageError(error);
    assert.ok(mapped instanceof HeadgateError);
    assert.equal(mapped.code, "storage_unavailable");
    assert.ok(mapped.message.includes(error.message));
    assert.equal(mapped.cause, error);
  }
});

test("a dial that failed at every address gives all reasons", () => {
  const refused = new AggregateError(
    [new Error("connect ECONNREFUSED ::1:5432"), new Error("connect ECONNREFUSED 127.0.0.1:5432")],
    "",
  );
  assert.match(String(toStorageError(refused)), /ECONNREFUSED ::1:5432; connect ECONNREFUSED 127\.0\.0\.1:5432/);
});

test("what is wrong with a row or a statement stays what it is", () => {
  for (const error of [answered("23505"), answered("22003"), answered("42P01"), new TypeError("a bug")]) {
    assert.equal(toStorageError(error), error);
  }
  assert.deepEqual(
    [isRowFault(answered("23514")), isRowFault(answered("22P05")), isRowFault(answered("42703"))],
    [true, true, false],
  );
});

test("a refused user or database is told apart from one that is away", () => {
  assert.deepEqual(
    [isRefused(answered("28P01")), isRefused(answered("3D000")), isRefused(answered("57P03"))],
    [true, true, false],
  );
});
