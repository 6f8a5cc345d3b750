/**
 * fast-check, which draws the same cases in each run: what was green stays green until something changes. Other cases
 * are drawn with `HEADGATE_TEST_SEED=7`, and ever new ones with `HEADGATE_TEST_SEED=fresh`; a failure names the seed.
 */
import fc from "fast-check";
import { testSeed } from "./test-seed.ts";

fc.configureGlobal({ ...fc.readConfigureGlobal(), seed: testSeed() });

export { fc };
