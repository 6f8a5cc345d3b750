/** What a file is called and what kind of file it is. */
import { posix } from "node:path";
import type { VariableDeclarator } from "oxc-parser";
import type { Finding } from "./finding.ts";
import { lineAt, type Tree } from "./tree.ts";

const kebabCase = /^[a-z0-9]+(-[a-z0-9]+)*(\.[a-z0-9]+)*$/;
const emptyNames = new Set(["common", "helper", "helpers", "misc", "shared", "util", "utils"]);

export function fileNames(tree: Tree): Finding[] {
  return tree.code.flatMap(({ path }) => {
    const folders = posix.dirname(path).split("/");
    const name = posix.basename(path);
    const stem = name.split(".")[0] ?? name;
    const empty = [...folders, stem].find((part) => emptyNames.has(part));
    if (empty !== undefined) {
      return [
        {
          path,
          line: 1,
          rule: "file-name",
          advice: `"${empty}" says nothing about what is inside. Name it after the thing it is about.`,
        },
      ];
    }
    if (kebabCase.test(name)) return [];
    return [
      { path, line: 1, rule: "file-name", advice: `file names are kebab-case: lower-case words joined by hyphens.` },
    ];
  });
}

export function barrels(tree: Tree): Finding[] {
  return tree.code.flatMap(({ path, text, syntax }) => {
    const { body } = syntax.program;
    const forwarded = body.filter(
      (node) =>
        node.type === "ExportAllDeclaration" || (node.type === "ExportNamedDeclaration" && node.source !== null),
    );
    const all = body.find((node) => node.type === "ExportAllDeclaration");
    const onlyForwards = body.length > 0 && forwarded.length === body.length;
    const at = all ?? (onlyForwards ? forwarded[0] : undefined);
    if (at === undefined) return [];
    const advice = "passes on what another file exports. Import from the file that has it.";
    return [{ path, line: lineAt(text, at.start), rule: "barrel", advice }];
  });
}

export function moduleState(tree: Tree): Finding[] {
  // The file a worker thread starts with is a program of its own.
  const files = tree.code.filter(({ path, isTest }) => /^src\/(?!.*-worker\.ts$)/.test(path) && !isTest);
  return files.flatMap(({ path, text, syntax }) =>
    syntax.program.body
      .map((node) => (node.type === "ExportNamedDeclaration" ? node.declaration : node))
      .filter((node) => node?.type === "VariableDeclaration")
      .filter((node) => node.kind !== "const" || node.declarations.some((variable) => isToBeFilled(variable, text)))
      .map((node) => {
        const advice = "state of the module outlives every request and test. Put it into what a factory returns.";
        return { path, line: lineAt(text, node.start), rule: "module-state", advice };
      }),
  );
}

/** Nobody keeps an empty container but to fill it, unless its type forbids that. */
function isToBeFilled({ id, init }: VariableDeclarator, text: string): boolean {
  const annotation = id.typeAnnotation?.typeAnnotation;
  if (annotation && /^readonly/i.test(text.slice(annotation.start))) return false;
  if (init?.type === "ArrayExpression") return init.elements.length === 0;
  if (init?.type !== "NewExpression" || init.callee.type !== "Identifier") return false;
  return ["Array", "Map", "Set", "WeakMap", "WeakSet"].includes(init.callee.name) && init.arguments.length === 0;
}
