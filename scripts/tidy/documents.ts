/** Documents point at what exists, and decisions say why. */
import { posix } from "node:path";
import type { Finding } from "./finding.ts";
import { lineAt, type TextFile, type Tree } from "./tree.ts";

const sections = ["Context", "Decision", "Consequences", "What would make us change it"];
const link = /!?\[[^\]]*\]\(([^)\s]+)(?:\s+"[^"]*")?\)/g;

export function documentLinks(tree: Tree): Finding[] {
  const documents = tree.texts.filter(({ path }) => path.endsWith(".md"));
  return documents.flatMap((document) =>
    [...withoutCode(document.text).matchAll(link)].flatMap((match) => {
      const problem = checkLink(tree, document, match[1] ?? "");
      return problem === null
        ? []
        : [{ path: document.path, line: lineAt(document.text, match.index), rule: "link", advice: problem }];
    }),
  );
}

export function decisionRecords(tree: Tree): Finding[] {
  const records = recordsOf(tree);
  return records.flatMap((record, index) => {
    const findings: string[] = [];
    const number = String(index + 1).padStart(4, "0");
    if (!record.path.startsWith(`docs/decisions/${number}-`))
      findings.push(`records are numbered without gaps: expected ${number}.`);
    const found = [...record.text.matchAll(/^## (.+)$/gm)].map((match) => match[1]);
    if (found.join("|") !== sections.join("|"))
      findings.push(`a record has these sections in this order: ${sections.join(", ")}.`);
    for (const empty of emptySections(record.text)) findings.push(`the section "${empty}" is empty.`);
    return findings.map((advice) => ({ path: record.path, line: 1, rule: "decision-record", advice }));
  });
}

export function dependencyDecisions(tree: Tree): Finding[] {
  const manifest = tree.texts.find(({ path }) => path === "package.json")?.text ?? "{}";
  const { dependencies = {} } = JSON.parse(manifest) as { dependencies?: Record<string, string> };
  const decided = recordsOf(tree).map(({ text }) => text.split("\n", 1)[0] ?? "");
  return Object.keys(dependencies)
    .filter((name) => !decided.some((title) => title.includes(`\`${name}\``)))
    .map((name) => {
      const advice = `no decision record has \`${name}\` in its title. Write one page in docs/decisions, or do without the package.`;
      return {
        path: "package.json",
        line: lineAt(manifest, manifest.indexOf(`"${name}"`)),
        rule: "decision-record",
        advice,
      };
    });
}

function recordsOf(tree: Tree): TextFile[] {
  return tree.texts
    .filter(({ path }) => /^docs\/decisions\/.+\.md$/.test(path))
    .toSorted((a, b) => (a.path < b.path ? -1 : 1));
}

function emptySections(text: string): string[] {
  const parts = text.split(/^## /m).slice(1);
  return parts.filter((part) => part.split("\n").slice(1).join("").trim() === "").map((part) => part.trim());
}

function checkLink(tree: Tree, document: TextFile, target: string): string | null {
  if (/^[a-z]+:/i.test(target)) return null;
  const [file = "", anchor] = target.split("#", 2);
  const path =
    file === "" ? document.path : posix.join(posix.dirname(document.path), decodeURI(file)).replace(/\/$/, "");
  if (!tree.paths.has(path) && path !== ".")
    return `"${target}" leads nowhere: there is no ${path}. Correct the link, or write the page.`;
  if (anchor === undefined || !path.endsWith(".md")) return null;
  const text = tree.texts.find((candidate) => candidate.path === path)?.text ?? "";
  return anchorsOf(text).has(anchor) ? null : `"${target}": ${path} has no heading "${anchor}".`;
}

/** As GitHub makes them from headings. */
function anchorsOf(text: string): Set<string> {
  const headings = [...withoutFences(text).matchAll(/^#+ (.+)$/gm)].map((match) => match[1] ?? "");
  return new Set(
    headings.map((heading) =>
      heading
        .toLowerCase()
        .replace(/[^\p{L}\p{N} _-]/gu, "")
        .trim()
        .replaceAll(" ", "-"),
    ),
  );
}

/** Blanks code, keeping every offset. */
function withoutCode(text: string): string {
  return blank(withoutFences(text), /`[^`\n]*`/g);
}

function withoutFences(text: string): string {
  return blank(text, /^(```+)[\s\S]*?^\1/gm);
}

function blank(text: string, pattern: RegExp): string {
  return text.replace(pattern, (found) => found.replace(/[^\n]/g, " "));
}
