/** Medians over the rounds, and their ratios to nginx within the same run. */
import type { Figures } from "./scenarios.ts";

export interface Round {
  readonly scenario: string;
  readonly competitor: string;
  readonly features: string;
  readonly figures: Figures;
}

export interface Summary {
  readonly scenario: string;
  readonly competitor: string;
  readonly features: string;
  readonly rounds: number;
  readonly medians: Readonly<Record<string, number>>;
  /** CPU relative to nginx in the same scenario; absent without nginx. */
  readonly cpuToNginx?: number;
}

export function summarize(rounds: readonly Round[]): readonly Summary[] {
  const groups = Map.groupBy(rounds, (round) => `${round.scenario}\n${round.competitor}`);
  const summaries = [...groups.values()].flatMap((group) => {
    const first = group[0];
    return first === undefined
      ? []
      : [
          {
            scenario: first.scenario,
            competitor: first.competitor,
            features: first.features,
            rounds: group.length,
            medians: mediansOf(group),
          },
        ];
  });
  return summaries.map((summary) => {
    const nginx = summaries.find((each) => each.scenario === summary.scenario && each.competitor === "nginx");
    const own = cpuOf(summary.medians);
    const reference = nginx === undefined ? undefined : cpuOf(nginx.medians);
    return own === undefined || reference === undefined ? summary : { ...summary, cpuToNginx: own / reference };
  });
}

export function renderTable(summaries: readonly Summary[]): string {
  const header = [
    "scenario",
    "competitor",
    "CPU µs/req",
    "CPU µs/event",
    "× nginx",
    "req/s",
    "p50 ms",
    "p99 ms",
    "first p99 ms",
    "gap p99 ms",
    "MB",
    "kB/stream",
    "failures",
  ];
  const rows = summaries.map(({ scenario, competitor, medians, cpuToNginx }) => [
    scenario,
    competitor,
    shown(medians["cpuPerRequestUs"], 1),
    shown(medians["cpuPerEventUs"], 1),
    shown(cpuToNginx, 2),
    shown(medians["requestsPerSecond"], 0),
    shown(medians["p50Ms"], 3),
    shown(medians["p99Ms"], 3),
    shown(medians["firstEventP99Ms"], 2),
    shown(medians["gapP99Ms"], 2),
    shown(medians["residentMb"], 0),
    shown(medians["kbPerStream"], 1),
    shown(medians["failures"], 0),
  ]);
  const widths = header.map((name, column) => Math.max(name.length, ...rows.map((row) => row[column]?.length ?? 0)));
  const line = (cells: readonly string[]): string =>
    cells
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join("  ")
      .trimEnd();
  return `${[line(header), line(widths.map((width) => "-".repeat(width))), ...rows.map(line)].join("\n")}\n`;
}

function mediansOf(group: readonly Round[]): Record<string, number> {
  const names = new Set(group.flatMap((round) => Object.keys(round.figures)));
  return Object.fromEntries(
    Array.from(names, (name) => {
      const values = group.map((round) => round.figures[name as keyof Figures]).filter((value) => value !== undefined);
      values.sort((a, b) => a - b);
      return [name, values[Math.floor(values.length / 2)] ?? 0];
    }),
  );
}

function cpuOf(medians: Readonly<Record<string, number>>): number | undefined {
  return medians["cpuPerRequestUs"] ?? medians["cpuPerEventUs"];
}

function shown(value: number | undefined, digits: number): string {
  return value === undefined ? "" : value.toFixed(digits);
}
