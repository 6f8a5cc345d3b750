import assert from "node:assert/strict";
import { test } from "node:test";
import { formatCount, renderTable } from "./table.ts";

test("columns are aligned, numbers at the right, and no line ends in spaces", () => {
  const rows = [
    { name: "a", count: 1 },
    { name: "longer", count: 20 },
  ];
  const table = renderTable(rows, [
    { title: "count", cell: ({ count }) => String(count), align: "right" },
    { title: "name", cell: ({ name }) => name },
  ]);
  assert.equal(table, "COUNT  NAME\n    1  a\n   20  longer\n");
});

test("what callers chose cannot steer the terminal of whoever reads it", () => {
  const table = renderTable(["\u001b[2Jgone\nline"], [{ title: "model", cell: (name) => name }]);
  assert.equal(table, "MODEL\n·[2Jgone·line\n");
});

test("large counts are grouped by thousands", () => {
  assert.equal(formatCount(0), "0");
  assert.equal(formatCount(999), "999");
  assert.equal(formatCount(12_345_678), "12,345,678");
});
