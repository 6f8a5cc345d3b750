/** How long files and functions are, how much a file offers, how many files a folder holds. */
import { posix } from "node:path";
import { Visitor } from "oxc-parser";
import type { Finding } from "./finding.ts";
import { countLines, lineAt, type CodeFile, type Tree } from "./tree.ts";

const fileLinesMax = 500;
const usualFileLines = 300;
const usualShare = 0.9;
const functionLinesBelow = 70;
const exportsMax = 7;
const folderFilesMax = 15;
const folderDepthMax = 3;

export function fileLengths(tree: Tree): Finding[] {
  const sized = tree.code.map(({ path, text }) => ({ path, lines: countLines(text) }));
  const findings = sized
    .filter(({ lines }) => lines > fileLinesMax)
    .map(({ path, lines }) =>
      find(
        path,
        fileLinesMax + 1,
        "file-length",
        `${lines} lines; ${fileLinesMax} is the most. Split it by what changes together.`,
      ),
    );
  const long = sized.filter(({ lines }) => lines >= usualFileLines).toSorted((a, b) => b.lines - a.lines);
  if (long.length > sized.length * (1 - usualShare)) {
    const names = long.map(({ path, lines }) => `${path} (${lines})`).join(", ");
    const advice = `${long.length} of ${sized.length} files have ${usualFileLines} lines or more; one in ten may. Split some of: ${names}.`;
    findings.push(find(long[0]?.path ?? ".", 1, "file-length", advice));
  }
  return findings;
}

export function functionLengths(tree: Tree): Finding[] {
  return tree.code.flatMap((file) => {
    const findings: Finding[] = [];
    const groups = new Set<number>();
    const check = ({ start, end }: { start: number; end: number }): void => {
      const first = lineAt(file.text, start);
      const lines = lineAt(file.text, end) - first + 1;
      if (lines < functionLinesBelow || groups.has(start)) return;
      const advice = `a function of ${lines} lines; they stay under ${functionLinesBelow}. Name its steps and make them functions.`;
      findings.push(find(file.path, first, "function-length", advice));
    };
    new Visitor({
      CallExpression(call) {
        // A group of tests is a heading, not a function.
        const isGroup = call.callee.type === "Identifier" && ["describe", "suite"].includes(call.callee.name);
        if (file.isTest && isGroup) for (const argument of call.arguments) groups.add(argument.start);
      },
      ArrowFunctionExpression: check,
      FunctionDeclaration: check,
      FunctionExpression: check,
    }).visit(file.syntax.program);
    return findings;
  });
}

/** Types are not counted: one shape is often said in several. */
export function exportCounts(tree: Tree): Finding[] {
  return tree.code.flatMap((file) => {
    const values = exportedValues(file);
    if (values.length <= exportsMax) return [];
    const advice = `exports ${values.length} values (${values.join(", ")}); ${exportsMax} is the most. Split the file, or keep some of them inside.`;
    return [find(file.path, 1, "exports", advice)];
  });
}

export function folders(tree: Tree): Finding[] {
  const counts = new Map<string, number>();
  for (const { path, isTest } of tree.code) {
    const folder = posix.dirname(path);
    if (!isTest) counts.set(folder, (counts.get(folder) ?? 0) + 1);
  }
  const crowded = [...counts]
    .filter(([, count]) => count > folderFilesMax)
    .map(([path, count]) =>
      find(
        path,
        1,
        "folder-size",
        `${count} files; ${folderFilesMax} is the most. Give a group of them a folder of its own.`,
      ),
    );
  const deep = tree.code
    .filter(({ path }) => path.startsWith("src/") && path.split("/").length - 2 > folderDepthMax)
    .map(({ path }) => find(path, 1, "folder-depth", `more than ${folderDepthMax} folders below src. Move it up.`));
  return [...crowded, ...deep];
}

function exportedValues(file: CodeFile): string[] {
  const entries = file.syntax.module.staticExports.flatMap((statement) => statement.entries);
  return entries.filter((entry) => !entry.isType).map((entry) => entry.exportName.name ?? "default");
}

function find(path: string, line: number, rule: string, advice: string): Finding {
  return { path, line, rule, advice };
}
