/** Structured logs by pino: JSON lines for machines, or one readable line an event for people. Written to stderr. */
import { destination, pino, type DestinationStream, type Logger } from "pino";
import type { TelemetryConfig } from "../config/config.ts";

/** Fields whose value is never written, wherever they appear one level deep. */
const REDACTED = ["authorization", "apiKey", "key", "*.authorization", "*.apiKey", "*.key"];

export function createLogger(config: TelemetryConfig, stream?: DestinationStream): Logger {
  const out = stream ?? destination({ dest: 2, sync: true });
  return pino(
    { level: config.logLevel, base: null, redact: { paths: REDACTED, censor: "[secret]" } },
    config.logFormat === "json" ? out : { write: (line: string) => out.write(readable(line)) },
  );
}

const LEVELS: Readonly<Record<number, string>> = { 20: "debug", 30: "info", 40: "warn", 50: "error" };

function readable(line: string): string {
  const { level, time, msg, err, ...rest } = JSON.parse(line) as Record<string, unknown>;
  const stamp = new Date(Number(time)).toISOString().slice(11, 23);
  const fields = Object.entries(rest)
    .filter(([, value]) => value !== null)
    .map(([name, value]) => ` ${name}=${typeof value === "string" ? value : JSON.stringify(value)}`)
    .join("");
  const cause = typeof err === "object" && err !== null && "stack" in err ? `\n  ${String(err.stack)}` : "";
  return `${stamp} ${(LEVELS[Number(level)] ?? "info").padEnd(5)} ${String(msg)}${fields}${cause}\n`;
}
