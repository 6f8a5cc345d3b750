/**
 * What is measured in one run: the simulator asked directly, nginx as a bare proxy, Headgate in its setups, and Portkey's
 * gateway where it is installed below `bench/competitors/` (`npm install --prefix bench/competitors
 * @portkey-ai/gateway`). All of them are pinned to the same core, one after the other.
 */
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { startPinned, type Measured } from "./processes.ts";

export interface Competitor {
  readonly name: string;
  readonly port: number;
  readonly key: string;
  /** The model names to ask for: the same work on every side. */
  readonly model: (script: string) => string;
  /** What was switched on. */
  readonly features: string;
  /** `null` for the direct path, which has no process of its own. */
  readonly process: Measured | null;
  /** Whether it also translates to an Anthropic upstream, and under which model name. */
  readonly translated: ((script: string) => string) | null;
  readonly extraHeaders: Readonly<Record<string, string>>;
}

export interface Bench {
  readonly folder: string;
  readonly simulatorPort: number;
  readonly gatewayCore: number;
  /** The simulator's scripts that models will be asked for with. */
  readonly scripts: readonly string[];
}

const plain = (script: string): string => `sim-chat:${script}`;

export function directCompetitor(bench: Bench): Competitor {
  return {
    name: "direct",
    port: bench.simulatorPort,
    key: "bench",
    model: plain,
    features: "the simulator without anything in front",
    process: null,
    translated: null,
    extraHeaders: {},
  };
}

/** `null` when nginx is not installed. */
export async function startNginx(bench: Bench, port: number): Promise<Competitor | null> {
  if (spawnSync("nginx", ["-v"]).status !== 0) return null;
  const folder = join(bench.folder, "nginx");
  mkdirSync(folder, { recursive: true });
  const file = join(folder, "nginx.conf");
  writeFileSync(file, nginxConfig(folder, port, bench.simulatorPort));
  const process = await startPinned({
    name: "nginx",
    core: bench.gatewayCore,
    command: ["nginx", "-p", folder, "-e", join(folder, "error.log"), "-c", file, "-g", "daemon off;"],
    port,
  });
  return {
    name: "nginx",
    port,
    key: "bench",
    model: plain,
    features: "proxy_pass with keep-alive, unbuffered, no access log, one worker",
    process,
    translated: null,
    extraHeaders: {},
  };
}

function nginxConfig(folder: string, port: number, upstreamPort: number): string {
  return `worker_processes 1;
pid ${folder}/nginx.pid;
events { worker_connections 8192; }
http {
  access_log off;
  client_body_temp_path ${folder}/body;
  proxy_temp_path ${folder}/proxy;
  fastcgi_temp_path ${folder}/fastcgi;
  uwsgi_temp_path ${folder}/uwsgi;
  scgi_temp_path ${folder}/scgi;
  client_max_body_size 64m;
  client_body_buffer_size 4m;
  keepalive_requests 100000000;
  upstream provider { server 127.0.0.1:${upstreamPort}; keepalive 1024; keepalive_requests 100000000; }
  server {
    listen 127.0.0.1:${port} backlog=4096;
    location / {
      proxy_pass http://provider;
      proxy_http_version 1.1;
      proxy_set_header Connection "";
      proxy_buffering off;
      proxy_request_buffering on;
    }
  }
}
`;
}

/** `null` when it is not installed. */
export async function startPortkey(bench: Bench, port: number, competitors: string): Promise<Competitor | null> {
  const entry = join(competitors, "node_modules", "@portkey-ai", "gateway", "build", "start-server.js");
  if (!existsSync(entry)) return null;
  const server = await startPinned({
    name: "portkey",
    core: bench.gatewayCore,
    command: [process.execPath, entry, `--port=${port}`, "--headless"],
    env: { NODE_ENV: "production" },
    port,
  });
  return {
    name: "portkey",
    port,
    key: "bench",
    model: plain,
    features: "its open-source gateway as started by its own command: no accounts, no budgets, no ledger",
    process: server,
    translated: null,
    extraHeaders: {
      "x-portkey-provider": "openai",
      "x-portkey-custom-host": `http://127.0.0.1:${bench.simulatorPort}/v1`,
    },
  };
}
