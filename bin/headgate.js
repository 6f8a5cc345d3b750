#!/usr/bin/env node
// The published command. Kept to syntax that an old Node can read, so that it can say what is wrong.
const oldest = 26;
if (Number.parseInt(process.versions.node, 10) >= oldest) {
  await import("../dist/main.js");
} else {
  process.stderr.write(
    `headgate needs Node.js ${oldest} or later; this is ${process.versions.node} (${process.execPath}).\n` +
      "Install a current Node.js, or run it with one: npx --package=node@latest --package=headgate headgate\n",
  );
  process.exitCode = 1;
}
