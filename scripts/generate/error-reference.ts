import { errorCatalogue, type Fault, type Retry } from "../../src/kernel/errors.ts";

const faults: Readonly<Record<Fault, string>> = {
  caller: "The request has to change: sending it again as it is gives the same answer.",
  operator: "The gateway's configuration has to change; the caller can do nothing about it.",
  upstream: "The provider failed, or could not be reached.",
  gateway: "The gateway itself refused or failed.",
};

const retries: Readonly<Record<Retry, string>> = {
  never: "no",
  "same-target": "yes",
  "other-target": "yes, on another target",
};

/** `docs/reference/errors.md`, from the error catalogue. */
export function renderErrorReference(): string {
  const sections = Object.entries(faults).map(([fault, meaning]) => renderFault(fault, meaning));
  return `# Errors

<!-- Generated from src/kernel/errors.ts by \`npm run generate\`. -->

Every failure has one \`code\` that does not change between releases. The caller gets it in the error shape of the
API that was called, together with a message for people, which may change. The response's request id is in the header
\`x-request-id\`. "Retry" says whether the same request can succeed later; where waiting is known to help, the
response carries \`retry-after\`.

${sections.join("\n")}`;
}

function renderFault(fault: string, meaning: string): string {
  const rows = Object.entries(errorCatalogue)
    .filter(([, kind]) => kind.fault === fault)
    .map(([code, kind]) => `| \`${code}\` | ${kind.status} | ${retries[kind.retry]} | ${kind.summary} |\n`);
  return `## Fault: ${fault}

${meaning}

| code | status | retry | meaning |
| --- | --- | --- | --- |
${rows.join("")}`;
}
