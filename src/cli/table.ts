/** Tables for people: columns aligned by what they hold, two spaces apart, nothing drawn. */
export interface Column<Row> {
  readonly title: string;
  readonly cell: (row: Row) => string;
  /** Numbers and money stand at the right. */
  readonly align?: "left" | "right";
}

/** Ends in a line feed. A table without rows is its heading. */
export function renderTable<Row>(rows: readonly Row[], columns: readonly Column<Row>[]): string {
  const lines = [
    columns.map(({ title }) => title.toUpperCase()),
    ...rows.map((row) => columns.map(({ cell }) => printable(cell(row)))),
  ];
  const widths = columns.map((_, index) => Math.max(...lines.map((line) => widthOf(line[index] ?? ""))));
  const pad = (text: string, index: number): string => {
    const space = " ".repeat((widths[index] ?? 0) - widthOf(text));
    return columns[index]?.align === "right" ? space + text : text + space;
  };
  return lines.map((line) => `${line.map(pad).join("  ").trimEnd()}\n`).join("");
}

/** `12,345,678` */
export function formatCount(count: number): string {
  return String(count).replace(/\B(?=(\d{3})+$)/g, ",");
}

/** Callers choose model names and more: none of it may move the cursor of whoever reads a report. */
function printable(text: string): string {
  return text.replace(/\p{Cc}/gu, "·");
}

function widthOf(text: string): number {
  return text.length;
}
