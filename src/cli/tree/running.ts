/** Setting a gateway up, running it, and finding out what is wrong with it. */
import { command, type CommandNode } from "../command.ts";
import type { DoctorOptions } from "../commands/doctor.ts";
import type { InitOptions } from "../commands/init.ts";
import type { SimOptions } from "../commands/sim.ts";
import { flag, optionalText, text, whole } from "../parameters.ts";

export const serveCommand: CommandNode = command<Readonly<Record<never, never>>>({
  name: "serve",
  purpose: "Run the gateway until it is told to stop.",
  details:
    "Providers whose keys are in the environment are used by themselves, and so is an Ollama on this machine (looked for at\nOLLAMA_HOST or its usual port); without any, a simulator answers. The first start in a new data folder prints an API\nkey, once. SIGTERM or SIGINT stops it after requests in flight have finished, a second one at once. SIGHUP, or a change\nof the file, reloads the configuration.",
  parameters: {},
  configFlags: "all",
  examples: [
    { line: "serve", what: "With headgate.yaml, or with what the environment offers" },
    { line: "serve --port 8080 --data-dir /var/lib/headgate", what: "On another port, with records elsewhere" },
    { line: "serve --port 0 --json", what: "On any free port; prints one line of JSON when it is ready" },
  ],
  json: "One line when ready: `url`, `baseUrl`, `dataDir`, `version`, `apiKey` (on the first start, else null), `model` (one that can be asked for, or null) and `simulated`.",
  load: async () => (await import("../serve/serve.ts")).run,
});

export const initCommand: CommandNode = command<InitOptions>({
  name: "init",
  purpose: "Write a headgate.yaml to begin with, and make the data folder.",
  parameters: { force: flag("--force", "Replace a file that is there.") },
  configFlags: "place",
  examples: [
    { line: "init", what: "In the working directory" },
    { line: "init --config gateway/headgate.yaml", what: "Elsewhere" },
    { line: "init --force", what: "Begin anew" },
  ],
  json: "`file`, `dataDir` and `providers` (names of those found in the environment).",
  load: async () => (await import("../commands/init.ts")).run,
});

export const doctorCommand: CommandNode = command<DoctorOptions>({
  name: "doctor",
  purpose: "Check configuration, data folder, store, clock, port and every provider, and say what to do.",
  details: "Each line is ok, warn or fail. Nothing is changed, and no call is made that costs money.",
  parameters: { offline: flag("--offline", "Do not ask providers.") },
  configFlags: "all",
  examples: [
    { line: "doctor", what: "Everything" },
    { line: "doctor --offline", what: "Without the network" },
    { line: "doctor --json", what: "For monitoring; exit code 5 if a check failed" },
  ],
  json: "`ok` and `checks`, each with `check`, `level` (ok, warn or fail), `message` and `advice` or null.",
  load: async () => (await import("../commands/doctor.ts")).run,
});

export const simCommand: CommandNode = command<SimOptions>({
  name: "sim",
  purpose: "Run the simulator: a server that answers like a provider, with scripted behaviour and faults.",
  details:
    "It speaks OpenAI's chat completions and embeddings and Anthropic's messages, takes any API key and costs nobody\nanything. The model's name chooses the behaviour: `sim-chat:tokens=200,rate=50,fault=cut-mid-token@10`.",
  parameters: {
    port: whole("--port <number>", "Port to listen on; 0 is any free one. Default: 4100.", 0, 65_535, 4100),
    host: {
      ...text("--host <address>", "Address to listen on. Default: 127.0.0.1."),
      absent: "127.0.0.1",
      required: false,
    },
    seed: whole("--seed <number>", "Makes answers and faults repeatable. Default: 1.", 0, 4_294_967_295, 1),
    script: optionalText("--script <script>", "Behaviour of requests that bring none: `ttft=150,rate=80`."),
  },
  configFlags: "none",
  examples: [
    { line: "sim", what: "On port 4100" },
    { line: "sim --port 0 --seed 7 --json", what: "On any free port; prints one line of JSON when it is ready" },
    { line: "sim --script ttft=150,rate=80", what: "Typing at a human pace" },
  ],
  json: "One line when ready: `url`, `baseUrl`, `seed` and `models`.",
  load: async () => (await import("../commands/sim.ts")).run,
});
