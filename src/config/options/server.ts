import type { ServerConfig, StorageConfig, TelemetryConfig } from "../config.ts";
import type { SectionInFile } from "./sections.ts";
import type { Options } from "./option.ts";
import { choice, nullable, numeric, text } from "./scalars.ts";

const HOUR_MS = 3_600_000;

export const serverOptions: Options<ServerConfig> = {
  host: text({
    doc: "Address to listen on. `127.0.0.1` is this machine only, `0.0.0.0` every IPv4 interface, `::` every interface.",
    default: "127.0.0.1",
    env: "HEADGATE_HOST",
    flag: "host",
    restart: true,
  }),
  port: numeric("integer", {
    doc: "Port to listen on.",
    default: 4000,
    min: 0,
    max: 65_535,
    zero: "any free port; the one taken is printed at start",
    env: "HEADGATE_PORT",
    flag: "port",
    restart: true,
  }),
  headerTimeoutMs: numeric("duration", {
    doc: "How long a client may take to send the head of a request.",
    default: 15_000,
    min: 100,
    max: HOUR_MS,
    restart: true,
  }),
  bodyTimeoutMs: numeric("duration", {
    doc: "How long a client may take to send the body of a request; after it the answer is 408.",
    default: 60_000,
    min: 100,
    max: HOUR_MS,
  }),
  keepAliveTimeoutMs: numeric("duration", {
    doc: "How long an idle client connection is kept. Longer than the idle timeout of a load balancer in front (often 60 s), so that the balancer and not Headgate closes it.",
    default: 75_000,
    min: 0,
    max: HOUR_MS,
    zero: "kept until the client closes it",
    restart: true,
  }),
  shutdownGraceMs: numeric("duration", {
    doc: "How long requests in flight may go on after SIGTERM; streams still open then get an error event.",
    default: 30_000,
    min: 0,
    max: HOUR_MS,
    zero: "requests in flight are ended at once",
  }),
  heartbeatMs: numeric("duration", {
    doc: "Longest silence on a stream before a comment (`: keep-alive`) is sent, so that idle proxies on the way do not close the connection. Where the provider has accepted the request and the answer has not begun, the first comment takes the response's head with it: what fails later is told by an error event instead of a status.",
    default: 15_000,
    min: 0,
    max: HOUR_MS,
    zero: "no comments are sent",
  }),
};

export const storageOptions: Options<SectionInFile<StorageConfig>> = {
  dataDir: text({
    doc: "Folder of the embedded store, or with `postgres` of this machine's journal. In the file a relative path starts at the file's folder, in a flag or variable at the working directory. The default lies beside `headgate.yaml`, so that one folder is one gateway, several run side by side, and nothing outside the folder is touched.",
    default: ".headgate",
    env: "HEADGATE_DATA_DIR",
    flag: "data-dir",
    restart: true,
  }),
  durability: choice(["process", "power"], {
    doc: "What a committed record survives: `process` the death of the process, `power` also the loss of power (one disk sync per commit, grouped over concurrent requests).",
    default: "process",
    env: "HEADGATE_DURABILITY",
    flag: "durability",
    restart: true,
  }),
  postgres: nullable("secret", {
    doc: "PostgreSQL database that gateways on several machines share, as `postgres://user:password@host:5432/database`, by reference: `env:NAME` or `file:PATH`. The variable may hold the URL itself.",
    absent: "the store is a SQLite file in `dataDir`",
    env: "HEADGATE_POSTGRES_URL",
    restart: true,
  }),
  postgresConnections: numeric("integer", {
    doc: "Most connections to PostgreSQL of this process, besides one that listens for changes.",
    default: 10,
    min: 2,
    max: 1000,
    restart: true,
  }),
};

export const telemetryOptions: Options<TelemetryConfig> = {
  logLevel: choice(["debug", "info", "warn", "error", "silent"], {
    doc: "The least important messages that are logged. Prompts and answers are logged at no level.",
    default: "info",
    env: "HEADGATE_LOG_LEVEL",
    flag: "log-level",
    restart: true,
  }),
  logFormat: choice(["pretty", "json"], {
    doc: "`pretty` for people, `json` (one object a line) for log collectors.",
    default: "pretty",
    env: "HEADGATE_LOG_FORMAT",
    flag: "log-format",
    restart: true,
  }),
};
