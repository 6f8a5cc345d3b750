/** What a soak finds wrong, and how it is shown. */

export interface Finding {
  readonly rule: string;
  /** Which attempt, request or measure, and the figures. */
  readonly detail: string;
}

const SHOWN_PER_RULE = 10;

/** By rule, with the first details of each. */
export function renderFindings(findings: readonly Finding[]): string {
  return [...Map.groupBy(findings, ({ rule }) => rule)]
    .map(([rule, all]) => {
      const shown = all.slice(0, SHOWN_PER_RULE).map(({ detail }) => `  ${detail}\n`);
      return `\n${all.length} × ${rule}\n${shown.join("")}`;
    })
    .join("");
}
