/** RFC 4180, with a line feed after each line. Text that a spreadsheet would take for a formula is made plain by a quote mark. */
export function renderCsv(rows: readonly (readonly (string | number)[])[]): string {
  return rows.map((row) => `${row.map(renderField).join(",")}\n`).join("");
}

function renderField(value: string | number): string {
  if (typeof value === "number") return String(value);
  const plain = /^[=+@\t\r]|^-(?![\d.])/.test(value) ? `'${value}` : value;
  return /[",\r\n]/.test(plain) ? `"${plain.replaceAll('"', '""')}"` : plain;
}
