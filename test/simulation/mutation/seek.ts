/** A process of its own: runs seeds from 1 on until an invariant is broken. Says each seed it begins, and in the end what it found. */
import { runSeed } from "../run-seed.ts";

const seeds = Number(process.argv[2]);
for (let seed = 1; seed <= seeds; seed++) {
  process.stdout.write(`seed ${seed}\n`);
  const { failure } = await runSeed(seed);
  if (failure === null) continue;
  process.stdout.write(`noticed ${failure.invariant}\n`);
  break;
}
