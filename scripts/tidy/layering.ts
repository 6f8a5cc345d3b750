/** Imports go down the table of src/layers.ts, and never sideways. Tests may wire siblings together, not what is above. */
import { builtinModules } from "node:module";
import { posix } from "node:path";
import { layers } from "../../src/layers.ts";
import type { Finding } from "./finding.ts";
import { lineAt, type CodeFile, type Tree } from "./tree.ts";

const rule = "layers";
const topLayer = layers.length - 1;
/** Files that stand in src itself: the composition root is below the command line, the entry above everything. */
const rootFiles: Readonly<Record<string, number>> = {
  "gateway.ts": topLayer - 0.5,
  "main.ts": topLayer + 1,
  "layers.ts": -1,
};
const inputOutput = /^node:(child_process|cluster|dgram|dns|fs|http|http2|https|net|sqlite|tls|worker_threads)\b/;

export function layerTable(tree: Tree): Finding[] {
  const dependencies = readDependencies(tree);
  return tree.code.filter(({ path }) => path.startsWith("src/")).flatMap((file) => checkFile(file, dependencies));
}

function checkFile(file: CodeFile, dependencies: ReadonlySet<string>): Finding[] {
  const level = levelOf(file.path);
  if (level === null) {
    const advice = `"${placeOf(file.path)}" is not in the layer table. Add the folder to src/layers.ts, or move the file.`;
    return [{ path: file.path, line: 1, rule, advice }];
  }
  return importsOf(file).flatMap(({ specifier, line }) => {
    const problem = specifier.startsWith(".")
      ? checkRelative(file, level, specifier)
      : checkPackage(file, level, specifier, dependencies);
    return problem === null ? [] : [{ path: file.path, line, rule, advice: problem }];
  });
}

function checkRelative(file: CodeFile, level: number, specifier: string): string | null {
  const target = posix.join(posix.dirname(file.path), specifier);
  if (!target.startsWith("src/")) {
    return file.isTest
      ? null
      : `imports ${target}. Code in src does not depend on anything outside it: move what it needs into src.`;
  }
  const [from, to] = [placeOf(file.path), placeOf(target)];
  const targetLevel = levelOf(target);
  if (from === to || targetLevel === null || targetLevel < level) return null;
  if (targetLevel === level && file.isTest) return null;
  const direction = targetLevel === level ? `the sibling "${to}"` : `"${to}", which is above it`;
  return `"${from}" imports ${direction}. Declare the small interface it needs here; the composition root passes the implementation.`;
}

function checkPackage(
  file: CodeFile,
  level: number,
  specifier: string,
  dependencies: ReadonlySet<string>,
): string | null {
  if (file.isTest) return null;
  if (level === 0 && inputOutput.test(specifier))
    return `the kernel does no input or output, so it cannot import ${specifier}. Take it as a parameter.`;
  if (specifier.startsWith("node:") || builtinModules.includes(specifier)) return null;
  const name = specifier.split("/", specifier.startsWith("@") ? 2 : 1).join("/");
  return dependencies.has(name)
    ? null
    : `imports ${name}, which is not among the runtime dependencies of package.json.`;
}

function importsOf(file: CodeFile): { specifier: string; line: number }[] {
  const { module } = file.syntax;
  const found = [
    ...module.staticImports.map(({ moduleRequest }) => moduleRequest),
    ...module.staticExports.flatMap(({ entries }) => entries.flatMap((entry) => entry.moduleRequest ?? [])),
    ...module.dynamicImports.map(({ moduleRequest }) => moduleRequest),
  ];
  return found.flatMap(({ start, end }) => {
    const literal = /^["'](.+)["']$/.exec(file.text.slice(start, end))?.[1];
    return literal === undefined ? [] : [{ specifier: literal, line: lineAt(file.text, start) }];
  });
}

function placeOf(path: string): string {
  return path.split("/")[1] ?? "";
}

function levelOf(path: string): number | null {
  const place = placeOf(path);
  const level = layers.findIndex((layer) => layer.includes(place));
  return level >= 0 ? level : (rootFiles[place] ?? null);
}

function readDependencies(tree: Tree): Set<string> {
  const manifest = tree.texts.find(({ path }) => path === "package.json");
  const parsed = JSON.parse(manifest?.text ?? "{}") as { dependencies?: Record<string, string> };
  return new Set(Object.keys(parsed.dependencies ?? {}));
}
