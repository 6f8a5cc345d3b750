/**
 * The gateway of a steady soak: the product's own, in a process that tells what it is made of when it is asked. It ends
 * after SIGTERM by itself, because nothing of it is left.
 *
 *   node --expose-gc gateway-process.ts CONFIG     with a channel to its parent
 */
import { loadConfig } from "../../../src/config/load.ts";
import { startGateway } from "../../../src/gateway.ts";
import { providerSpecs } from "../../../src/providers/catalogue.ts";
import { createCountingClock } from "./counting-clock.ts";
import type { FromGateway, ToGateway } from "./gateway-child.ts";
import { takeVitals } from "./vitals.ts";

const [configFile = ""] = process.argv.slice(2);
const check = loadConfig({
  env: process.env,
  flags: { config: configFile },
  workingDirectory: process.cwd(),
  knownProviders: providerSpecs,
});
if (!check.ok) throw new Error(`The configuration is refused: ${JSON.stringify(check.problems)}`);
const clock = createCountingClock();
const gateway = await startGateway(check.loaded.config, { version: "0.0.0-soak", overrides: { clock } });

process.on("message", (question: ToGateway) => {
  if (question === "standing") tell({ standing: gateway.standing() });
  else void takeVitals(gateway, clock).then((vitals) => tell({ vitals }));
});
// A parent that dies takes its gateway along.
process.once("disconnect", abandon);
process.once("SIGTERM", () => {
  process.off("disconnect", abandon);
  void gateway.stop().then(() => process.disconnect?.());
});
tell({ url: gateway.url });

function abandon(): void {
  process.exit(1);
}

function tell(answer: FromGateway): void {
  process.send?.(answer);
}
