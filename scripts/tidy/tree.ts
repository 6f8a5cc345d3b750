/**
 * The tree that the rules look at: every text file of the project, code with its syntax. Made from the disk, or from
 * a few lines in a test of the rules.
 */
import { readdirSync, readFileSync, statSync } from "node:fs";
import { extname, join, posix } from "node:path";
import { parseSync, type ParseResult } from "oxc-parser";

export interface TextFile {
  /** From the root of the project, with `/`. */
  readonly path: string;
  readonly text: string;
}

export interface CodeFile extends TextFile {
  readonly syntax: ParseResult;
  readonly isTest: boolean;
}

export interface Tree {
  /** Every file and folder, whatever it holds. */
  readonly paths: ReadonlySet<string>;
  readonly texts: readonly TextFile[];
  /** TypeScript and JavaScript, the files of `texts` with these extensions. */
  readonly code: readonly CodeFile[];
}

/** Folders that are made here and not committed. */
const ignored = new Set([".git", ".headgate", ".node", "competitors", "coverage", "dist", "node_modules", "results"]);
const textExtensions = new Set([
  "",
  ".css",
  ".html",
  ".js",
  ".json",
  ".md",
  ".mjs",
  ".sh",
  ".sql",
  ".svg",
  ".ts",
  ".yaml",
  ".yml",
]);
const codeExtensions = new Set([".js", ".mjs", ".ts"]);

/** By path; folders are derived. */
export function createTree(files: Readonly<Record<string, string>>): Tree {
  const texts = Object.entries(files).map(([path, text]) => ({ path, text }));
  const paths = new Set<string>();
  for (const { path } of texts) {
    for (let at = path; at !== "."; at = posix.dirname(at)) paths.add(at);
  }
  return { paths, texts, code: texts.filter(({ path }) => codeExtensions.has(extname(path))).map(parseCode) };
}

export function readTree(root: string): Tree {
  const files: Record<string, string> = {};
  for (const path of walk(root, "")) {
    if (textExtensions.has(extname(path))) files[path] = readFileSync(join(root, path), "utf8");
    else files[path] = "";
  }
  return createTree(files);
}

/** The line, from 1, of an offset in the text. */
export function lineAt(text: string, offset: number): number {
  return text.slice(0, offset).split("\n").length;
}

export function countLines(text: string): number {
  return text.endsWith("\n") ? lineAt(text, text.length) - 1 : lineAt(text, text.length);
}

function parseCode(file: TextFile): CodeFile {
  const syntax = parseSync(file.path, file.text);
  return { ...file, syntax, isTest: file.path.endsWith(".test.ts") || file.path.startsWith("test/") };
}

function* walk(root: string, folder: string): Generator<string> {
  for (const name of readdirSync(join(root, folder)).toSorted()) {
    if (ignored.has(name)) continue;
    const path = posix.join(folder, name);
    const found = statSync(join(root, path), { throwIfNoEntry: false });
    if (found?.isDirectory()) yield* walk(root, path);
    else if (found?.isFile()) yield path;
  }
}
