/** Something wrong with the configuration, told so that the operator knows where to look and what to do. */
export interface ConfigProblem {
  /** The file as it was named, an environment variable or a flag. */
  readonly source: string;
  /** `providers.openai.credentials[0].key`; empty for the file as a whole. */
  readonly path: string;
  /** From 1; `null` outside of files. */
  readonly line: number | null;
  readonly column: number | null;
  /** Continues the path: "must be …", "is not a known key". Never contains a secret. */
  readonly message: string;
  /** What to do, as a sentence. */
  readonly suggestion: string | null;
}

/** `headgate.yaml:12:5: server.prot is not a known key. Did you mean "port"?`, one line each. */
export function renderProblems(problems: readonly ConfigProblem[]): string {
  return problems.map(renderProblem).join("\n");
}

export function renderProblem(problem: ConfigProblem): string {
  const place = problem.line === null ? problem.source : `${problem.source}:${problem.line}:${problem.column ?? 1}`;
  const subject = problem.path === "" ? "" : `${problem.path} `;
  const suggestion = problem.suggestion === null ? "" : ` ${problem.suggestion}`;
  return `${place}: ${subject}${problem.message}.${suggestion}`;
}

/** Joins steps to `providers.openai.credentials[0].key`; keys that would be ambiguous are quoted: `models["gpt-4.1"]`. */
export function formatPath(steps: readonly PropertyKey[]): string {
  let path = "";
  for (const step of steps) {
    if (typeof step === "number") path += `[${step}]`;
    else if (!/^[A-Za-z_$][\w$-]*$/.test(String(step))) path += `[${JSON.stringify(String(step))}]`;
    else path += path === "" ? String(step) : `.${String(step)}`;
  }
  return path;
}

/** Problems in the order of the file, those without a line last. */
export function inFileOrder(problems: readonly ConfigProblem[]): readonly ConfigProblem[] {
  return problems.toSorted(
    (a, b) => (a.line ?? Infinity) - (b.line ?? Infinity) || (a.column ?? Infinity) - (b.column ?? Infinity) || 0,
  );
}
