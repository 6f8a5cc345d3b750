import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { anAllowance, aScope } from "../../../test/support/limits-world.ts";
import type { Allowance, AllowanceScope } from "../allowance.ts";
import type { RequestScope } from "../limits.ts";
import { concernsPayer, countsRequest, isNarrowed, subjectOf } from "./matching.ts";

function of(scope: Partial<AllowanceScope>, rest: Partial<Allowance> = {}): Allowance {
  return { ...anAllowance, ...rest, scope: { ...anAllowance.scope, ...scope } };
}

/** Whom the request is counted for; `null`: it is not counted. */
function counted(allowance: Allowance, request: Partial<RequestScope> = {}): string | null {
  const scope = { ...aScope, ...request };
  if (!concernsPayer(allowance, scope.payer) || !countsRequest(allowance, scope)) return null;
  return subjectOf(allowance, scope);
}

describe("an allowance of", () => {
  test("a tenant counts all of its requests together, and nobody else's", () => {
    assert.equal(counted(of({})), "");
    assert.equal(counted(of({ tenantId: "ten_2" })), null);
  });

  test("a project counts it, or each one apart", () => {
    assert.equal(counted(of({ kind: "project", projectId: "prj_1" })), "");
    assert.equal(counted(of({ kind: "project", projectId: "prj_2" })), null);
    assert.equal(counted(of({ kind: "project" })), "prj_1");
  });

  test("a key counts it, or each one apart, of a project where it names one", () => {
    assert.equal(counted(of({ kind: "key", keyId: "key_1" })), "");
    assert.equal(counted(of({ kind: "key", keyId: "key_2" })), null);
    assert.equal(counted(of({ kind: "key", projectId: "prj_1" })), "key_1");
    assert.equal(counted(of({ kind: "key", projectId: "prj_2" })), null);
  });

  test("an end user counts it, or each one apart, and no request that names none", () => {
    assert.equal(counted(of({ kind: "end-user", endUser: "ada" }), { endUser: "ada" }), "");
    assert.equal(counted(of({ kind: "end-user", endUser: "ada" }), { endUser: "bob" }), null);
    assert.equal(counted(of({ kind: "end-user" }), { endUser: "bob" }), "bob");
    assert.equal(counted(of({ kind: "end-user", keyId: "key_1" }), { endUser: "bob" }), "bob");
    assert.equal(counted(of({ kind: "end-user", keyId: "key_2" }), { endUser: "bob" }), null);
    assert.equal(counted(of({ kind: "end-user" })), null);
    assert.equal(counted(of({ kind: "end-user", endUser: "ada" })), null);
  });
});

test("an allowance may be narrowed to an operation, and to models by what was asked for or what serves it", () => {
  assert.equal(isNarrowed(of({})), false);
  for (const [narrowed, request, expected] of [
    [{ operation: "embeddings" }, {}, null],
    [{ operation: "chat" }, {}, ""],
    [{ models: ["gpt-*"] }, {}, ""],
    [{ models: ["openai/*"] }, {}, ""],
    [{ models: ["claude-*", "openai/gpt-5-mini"] }, {}, ""],
    [{ models: ["openai/*"] }, { modelTarget: "azure/gpt-5-mini" }, null],
    [{ models: ["gpt"] }, {}, null],
  ] as const) {
    const allowance = of({}, narrowed);
    assert.equal(isNarrowed(allowance), true);
    assert.equal(counted(allowance, request), expected, JSON.stringify([narrowed, request]));
  }
});
