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
    .map(([name, value]) => ` ${name}=${shown(value)}`)
    .join("");
  const cause = typeof err === "object" && err !== null && "stack" in err ? `\n${String(err.stack)}` : "";
  return `${stamp} ${(LEVELS[Number(level)] ?? "info").padEnd(5)} ${indented(`${String(msg)}${fields}${cause}`)}\n`;
}

/** Callers choose models, end users and more: quoted where they could be taken for several fields. */
function shown(value: unknown): string {
  return typeof value === "string" && /^[^\s"\\=]+$/.test(value) ? value : JSON.stringify(value);
}

/** None of it begins a line, so that no text of others is taken for an event, or moves the cursor of whoever reads. */
function indented(text: string): string {
  return text.replace(UNPRINTABLE, escaped).replaceAll("\n", "\n  ");
}

/** Controls but the line feed, separators of lines, and what changes the direction of writing. */
const UNPRINTABLE = /(?!\n)[\p{Cc}\p{Zl}\p{Zp}\p{Bidi_Control}]/gu;

function escaped(character: string): string {
  return `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`;
}
