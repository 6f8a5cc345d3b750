import type { Tree } from "./tree.ts";

/** A place that breaks a rule. `advice` says what is wrong there and what to do instead. */
export interface Finding {
  readonly path: string;
  /** From 1. */
  readonly line: number;
  readonly rule: string;
  readonly advice: string;
}

/** Pure: a rule sees the tree and nothing else. */
export type Rule = (tree: Tree) => readonly Finding[];

export function formatFinding({ path, line, rule, advice }: Finding): string {
  return `${path}:${line} [${rule}] ${advice}`;
}
