import { describe, test } from "node:test";
import { fc } from "../support/properties.ts";
import { openBank } from "./bank-place.ts";
import { accountCount, BankTwins, ownerCount } from "./bank-twins.ts";
import { engines } from "./engines.ts";

interface Step {
  readonly run: (twins: BankTwins) => Promise<void>;
}

/** A step that a failure prints as the call that it is. */
function stepOf<Values extends readonly unknown[]>(
  name: string,
  values: fc.Arbitrary<Values>,
  run: (twins: BankTwins, ...all: Values) => Promise<void>,
): fc.Arbitrary<Step> {
  return values.map((all) => ({
    run: (twins) => run(twins, ...all),
    [fc.toStringMethod]: () => `${name}(${all.map((value) => fc.stringify(value)).join(", ")})`,
  }));
}

const owner = fc.nat(ownerCount - 1);
const account = fc.nat(accountCount - 1);
const amount = fc.bigInt({ min: 1n, max: 80n });
const few = fc.bigInt({ min: 0n, max: 9n });
const again = fc.boolean();
const refusals = fc.nat(3);

const draws = stepOf(
  "draw",
  fc.tuple(owner, account, fc.record({ need: amount, more: amount, refusals, again })),
  (twins, ...all) => twins.draw(...all),
);
const returns = stepOf(
  "giveBack",
  fc.tuple(owner, account, fc.record({ atMost: fc.bigInt({ min: 0n, max: 80n }), refusals, again })),
  (twins, ...all) => twins.giveBack(...all),
);
const settlements = stepOf("settle", fc.tuple(owner, account, amount, few), (twins, ...all) => twins.settle(...all));
const renewals = stepOf("renew", fc.tuple(owner), (twins, ...all) => twins.renew(...all));
const recalls = stepOf("recall", fc.tuple(owner, account), (twins, ...all) => twins.recall(...all));
const pauses = stepOf("pass", fc.tuple(fc.nat(20_000)), (twins, ...all) => twins.pass(...all));
const reaps = stepOf("reap", fc.tuple(), (twins) => twins.reap());
const ends = stepOf("finish", fc.tuple(owner), (twins, ...all) => twins.finish(...all));
const changes = stepOf("changeLimit", fc.tuple(account, amount), (twins, ...all) => twins.changeLimit(...all));

const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 6, arbitrary: draws },
  { weight: 4, arbitrary: settlements },
  { weight: 3, arbitrary: returns },
  { weight: 3, arbitrary: renewals },
  { weight: 2, arbitrary: recalls },
  { weight: 2, arbitrary: pauses },
  { weight: 1, arbitrary: reaps },
  { weight: 1, arbitrary: ends },
  { weight: 1, arbitrary: changes },
);

for (const engine of engines) {
  describe(`bank beside the simulation's on ${engine.name}`, () => {
    test("whatever processes and operators do, both answer the same and stand at the same", async () => {
      await using place = await engine.createPlace();
      await using banks = await openBank(place);
      let run = 0;
      await fc.assert(
        fc.asyncProperty(fc.array(step, { minLength: 20, maxLength: 60 }), async (steps) => {
          await using twins = await BankTwins.create(banks, `r${++run}`);
          for (const each of steps) {
            await each.run(twins);
            await twins.compare();
          }
        }),
        { numRuns: 40, interruptAfterTimeLimit: 20_000 },
      );
    });
  });
}
