/** The two upstreams that every test of this suite is run against, with the same assertions. */
export interface Upstream {
  readonly title: string;
  /** `provider/model`. */
  readonly model: string;
  /** It speaks the caller's dialect: bytes pass through. Otherwise requests and answers are translated. */
  readonly native: boolean;
  /** The model with a script for the simulator, e.g. `tokens=5,seed=1`: each time a target of its own. */
  scripted(script: string): string;
}

export const upstreams: readonly Upstream[] = [
  createUpstream("an OpenAI-dialect upstream", "simulator/sim-chat", true),
  createUpstream("an Anthropic-dialect upstream", "simulator-anthropic/sim-claude", false),
];

function createUpstream(title: string, model: string, native: boolean): Upstream {
  let scripts = 0;
  return { title, model, native, scripted: (script) => `${model}:${script},tag=${++scripts}` };
}
