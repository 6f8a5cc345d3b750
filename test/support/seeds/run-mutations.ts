/** Whether the invariants of a simulation notice every bug that is planted. */
import { availableParallelism } from "node:os";
import type { Simulation } from "./simulation.ts";
import { Workshop, type Mutation, type Verdict } from "./workshop.ts";

/** Of one mutation; and of the sources as they are, which must be sound or the rest says nothing. */
const SEEDS_MAX = 1_500;
const SOUND_SEEDS = 100;

/** `tell` is given a row for each mutation as it is decided. Resolves with whether all were noticed. */
export async function runMutations(
  { programs, invariants }: Pick<Simulation, "programs" | "invariants">,
  mutations: readonly Mutation[],
  tell: (text: string) => void,
): Promise<boolean> {
  const obstacle = await inWorkshop(programs.seek, (workshop) => findObstacle(workshop, mutations));
  if (obstacle !== null) {
    tell(obstacle);
    return false;
  }
  tell(`| mutation | seeds | noticed by |\n| --- | ---: | --- |\n`);
  const left = mutations.values();
  const survivors: string[] = [];
  const work = (): Promise<void> =>
    inWorkshop(programs.seek, async (workshop) => {
      for (const mutation of left) {
        const verdict = await workshop.try(mutation, SEEDS_MAX);
        if (verdict.noticedBy === null) survivors.push(mutation.name);
        tell(renderRow(mutation, verdict, invariants));
      }
    });
  await Promise.all(Array.from({ length: availableParallelism() }, work));
  tell(`\n${mutations.length - survivors.length} of ${mutations.length} mutations were noticed.\n`);
  for (const name of survivors) tell(`Nothing noticed "${name}" in ${SEEDS_MAX} seeds.\n`);
  return survivors.length === 0;
}

/** Why nothing can be learnt from the mutations. */
async function findObstacle(workshop: Workshop, mutations: readonly Mutation[]): Promise<string | null> {
  const objections = mutations.map((mutation) => workshop.objection(mutation)).filter((each) => each !== null);
  if (objections.length > 0) return `Mutations must follow the sources:\n${objections.join("\n")}\n`;
  const { seeds, noticedBy } = await workshop.seek(SOUND_SEEDS);
  if (noticedBy === null) return null;
  return `The sources as they are break an invariant at seed ${seeds}: ${noticedBy}. Repair that first.\n`;
}

async function inWorkshop<Result>(seek: URL, use: (workshop: Workshop) => Promise<Result>): Promise<Result> {
  using workshop = new Workshop(seek);
  return await use(workshop);
}

function renderRow({ name }: Mutation, { seeds, noticedBy }: Verdict, invariants: Simulation["invariants"]): string {
  const what = noticedBy === null ? "**nothing**" : (invariants[noticedBy] ?? noticedBy);
  return `| ${name} | ${seeds} | ${what} |\n`;
}
