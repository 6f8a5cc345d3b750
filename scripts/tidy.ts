/** `npm run tidy`: prints what in this tree breaks the rules of STYLE.md that can be counted, and fails if anything does. */
import { join } from "node:path";
import { formatFinding } from "./tidy/finding.ts";
import { rules } from "./tidy/rules.ts";
import { readTree } from "./tidy/tree.ts";

const tree = readTree(join(import.meta.dirname, ".."));
const findings = Object.values(rules).flatMap((rule) => rule(tree));
for (const finding of findings) console.log(formatFinding(finding));
console.log(`${tree.code.length} source files, ${tree.texts.length} texts, ${findings.length} findings.`);
process.exitCode = findings.length === 0 ? 0 : 1;
