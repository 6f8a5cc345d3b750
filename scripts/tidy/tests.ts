/** Tests run, all of them and the same in each run, and none waits for time to pass. */
import { Visitor } from "oxc-parser";
import type { Finding } from "./finding.ts";
import { lineAt, type CodeFile, type Tree } from "./tree.ts";

const runners = new Set(["describe", "it", "suite", "t", "test"]);
const switches = new Set(["only", "skip", "todo"]);

export function switchedTests(tree: Tree): Finding[] {
  return tree.code.filter(({ isTest }) => isTest).flatMap(findSwitches);
}

function findSwitches(file: CodeFile): Finding[] {
  const findings: Finding[] = [];
  const add = (start: number, name: string): void => {
    const advice = `"${name}" keeps tests from running. Make the test pass, or delete it.`;
    findings.push({ path: file.path, line: lineAt(file.text, start), rule: "switched-test", advice });
  };
  new Visitor({
    CallExpression(call) {
      const { callee } = call;
      if (
        callee.type === "MemberExpression" &&
        callee.object.type === "Identifier" &&
        callee.property.type === "Identifier"
      ) {
        if (runners.has(callee.object.name) && switches.has(callee.property.name))
          add(call.start, callee.property.name);
      }
      if (callee.type !== "Identifier" || !runners.has(callee.name)) return;
      const options = call.arguments.flatMap((argument) =>
        argument.type === "ObjectExpression" ? argument.properties : [],
      );
      for (const property of options) {
        if (property.type === "Property" && property.key.type === "Identifier" && switches.has(property.key.name)) {
          add(property.start, property.key.name);
        }
      }
    },
  }).visit(file.syntax.program);
  return findings;
}

export function sleepingTests(tree: Tree): Finding[] {
  return tree.code.filter(({ isTest }) => isTest).flatMap(findSleeps);
}

function findSleeps(file: CodeFile): Finding[] {
  const findings: Finding[] = [];
  const add = (start: number): void => {
    const advice =
      "waits for time to pass, which is slow when it is long and flaky when it is short. Wait for the event itself, or move a virtual clock.";
    findings.push({ path: file.path, line: lineAt(file.text, start), rule: "sleeping-test", advice });
  };
  new Visitor({
    ImportDeclaration(node) {
      const timed = node.specifiers.some(
        (specifier) =>
          specifier.type === "ImportSpecifier" &&
          specifier.imported.type === "Identifier" &&
          specifier.imported.name === "setTimeout",
      );
      if (node.source.value === "node:timers/promises" && timed) add(node.start);
    },
    NewExpression(node) {
      const isPromise = node.callee.type === "Identifier" && node.callee.name === "Promise";
      const executor = node.arguments[0];
      if (isPromise && executor?.type === "ArrowFunctionExpression" && callsTimer(executor.body)) add(node.start);
    },
  }).visit(file.syntax.program);
  return findings;
}

const seeded = "test/support/properties.ts";

export function unseededTests(tree: Tree): Finding[] {
  return tree.code.filter(({ path }) => path !== seeded).flatMap(findUnseeded);
}

function findUnseeded(file: CodeFile): Finding[] {
  const findings: Finding[] = [];
  new Visitor({
    ImportDeclaration(node) {
      if (node.source.value !== "fast-check") return;
      const advice = `draws other cases in each run. Import fc from ${seeded}.`;
      findings.push({ path: file.path, line: lineAt(file.text, node.start), rule: "unseeded-test", advice });
    },
  }).visit(file.syntax.program);
  return findings;
}

/** `() => setTimeout(…)` or `() => { setTimeout(…); }`: a promise that is nothing but a timer. */
function callsTimer(body: { type: string }): boolean {
  const statements = (body as { body?: { type: string }[] }).body;
  const only = body.type === "BlockStatement" && statements?.length === 1 ? statements[0] : body;
  const expression = (only as { expression?: unknown }).expression;
  const call = (typeof expression === "object" && expression !== null ? expression : only) as {
    type?: string;
    callee?: { name?: string };
  };
  return call.type === "CallExpression" && call.callee?.name === "setTimeout";
}
