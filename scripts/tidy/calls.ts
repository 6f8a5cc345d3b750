/**
 * What reaches for the outside without being handed it. Allowed where it is handed out: in the kernel, in the
 * configuration, and in src/main.ts. Tests and what is not in src are free.
 */
import { Visitor } from "oxc-parser";
import type { Finding } from "./finding.ts";
import { lineAt, type CodeFile, type Tree } from "./tree.ts";

const allowed = /^src\/(kernel\/|config\/|main\.ts$)/;

/** What may not be used, and what takes its place. */
const members: Readonly<Record<string, string>> = {
  "Date.now": "clock.wallMs() of the injected Clock",
  "performance.now": "clock.monotonicMs() of the injected Clock",
  "process.hrtime": "clock.monotonicMs() of the injected Clock",
  "Math.random": "the injected RandomFill",
  "crypto.randomUUID": "the injected IdSource",
  "crypto.getRandomValues": "the injected RandomFill",
  "process.env": "an option declared in src/config",
  "AbortSignal.timeout": "an AbortController and clock.setTimer()",
  "globalThis.fetch": "the injected transport",
};
const calls: Readonly<Record<string, string>> = {
  setTimeout: "clock.setTimer() of the injected Clock",
  setInterval: "clock.setTimer() of the injected Clock, set again each time it fires",
  fetch: "the injected transport",
};
/** By module and name. Waiting for the next turn of the loop (`setImmediate`) is not waiting for time. */
const timers = {
  setTimeout: "the injected Clock",
  setInterval: "the injected Clock",
  scheduler: "the injected Clock",
};
const imports: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  "node:timers": timers,
  "node:timers/promises": timers,
  "node:crypto": {
    randomBytes: "the injected RandomFill",
    randomFill: "the injected RandomFill",
    randomFillSync: "the injected RandomFill",
    randomInt: "the injected RandomFill",
    randomUUID: "the injected IdSource",
  },
};

export function bannedCalls(tree: Tree): Finding[] {
  const files = tree.code.filter(({ path, isTest }) => path.startsWith("src/") && !isTest && !allowed.test(path));
  return files.flatMap(checkFile);
}

function checkFile(file: CodeFile): Finding[] {
  const findings: Finding[] = [];
  const ban = (start: number, what: string, instead: string | undefined): void => {
    if (instead === undefined) return;
    const advice = `${what} belongs to the kernel, the configuration and src/main.ts. Use ${instead}.`;
    findings.push({ path: file.path, line: lineAt(file.text, start), rule: "banned-call", advice });
  };
  new Visitor({
    MemberExpression(node) {
      if (node.object.type !== "Identifier" || node.property.type !== "Identifier" || node.computed) return;
      const name = `${node.object.name}.${node.property.name}`;
      ban(node.start, name, members[name]);
    },
    CallExpression(node) {
      if (node.callee.type === "Identifier") ban(node.start, `${node.callee.name}()`, calls[node.callee.name]);
    },
    NewExpression(node) {
      const isNow = node.callee.type === "Identifier" && node.callee.name === "Date" && node.arguments.length === 0;
      if (isNow) ban(node.start, "new Date()", "new Date(clock.wallMs()) with the injected Clock");
    },
    ImportDeclaration(node) {
      for (const specifier of node.specifiers) {
        if (specifier.type !== "ImportSpecifier" || specifier.imported.type !== "Identifier") continue;
        const { name } = specifier.imported;
        ban(specifier.start, `${name} of ${node.source.value}`, imports[node.source.value]?.[name]);
      }
    },
  }).visit(file.syntax.program);
  return findings;
}
