import { createSystemClock } from "../../src/kernel/clock.ts";
import { createIdSource, systemRandomFill } from "../../src/kernel/ids.ts";
import { createKey, type KeyOptions } from "../../src/tenancy/keys.ts";
import type { TestGateway } from "../support/gateway.ts";

/** A further key of the default project, in plain text. */
export async function createTestKey({ gateway }: TestGateway, options: Omit<KeyOptions, "name">): Promise<string> {
  const clock = createSystemClock();
  const deps = {
    db: gateway.store.db,
    clock,
    randomFill: systemRandomFill,
    ids: createIdSource(systemRandomFill, () => clock.wallMs()),
  };
  const { plainKey } = await createKey(deps, { tenant: "default", project: "default" }, { name: "test", ...options });
  return plainKey;
}
