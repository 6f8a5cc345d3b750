/** What no text of this project may hold: the host of a package registry, a path that exists on one machine only. */
import type { Finding } from "./finding.ts";
import type { Tree } from "./tree.ts";

const registryHost = /\/\/[\w.-]*(?:registry|npmmirror|verdaccio|artifactory)[\w.-]*|\bregistry\.[a-z]+\.[a-z]+\b/i;
const resolvedAddress = /"resolved": "http/;
const machinePath = /(?<![\w.~$}{*-])\/(?:home|Users|root|work|tmp)\/[\w.-]+|\b[A-Z]:\\Users\\/;

export function registryHosts(tree: Tree): Finding[] {
  const advice = "names a package registry. Leave it out: npm knows its registry from the user's configuration.";
  return [
    ...findLines(tree, () => true, registryHost, "registry-host", advice),
    ...findLines(tree, (path) => path.endsWith("package-lock.json"), resolvedAddress, "registry-host", advice),
  ];
}

export function machinePaths(tree: Tree): Finding[] {
  const advice = "a path of one machine. Derive it from the project's folder, os.tmpdir() or an option.";
  return findLines(tree, () => true, machinePath, "machine-path", advice);
}

function findLines(
  tree: Tree,
  wants: (path: string) => boolean,
  pattern: RegExp,
  rule: string,
  advice: string,
): Finding[] {
  return tree.texts
    .filter(({ path }) => wants(path))
    .flatMap(({ path, text }) =>
      text.split("\n").flatMap((content, index) => {
        const found = pattern.exec(content)?.[0];
        return found === undefined ? [] : [{ path, line: index + 1, rule, advice: `"${found}": ${advice}` }];
      }),
    );
}
