import type { ListedCommand, ListedFlag } from "./command-list.ts";

/** A script for `~/.config/fish/completions/headgate.fish`. */
export function renderFishCompletion(commands: readonly ListedCommand[]): string {
  const paths = commands.filter(({ path }) => path !== "").map(({ path }) => quote(path));
  return `# fish completion of headgate
function __headgate_path
    set -l path ""
    for word in (commandline -opc)[2..-1]
        set -l next (string trim -- "$path $word")
        if contains -- "$next" ${paths.join(" ")}
            set path $next
        end
    end
    echo $path
end
complete -c headgate -f
${commands.flatMap(renderCommand).join("\n")}
`;
}

function renderCommand({ path, words, flags }: ListedCommand): readonly string[] {
  const here = `complete -c headgate -n ${quote(`test (__headgate_path) = "${path}"`)}`;
  return [
    ...words.map(({ name, purpose }) => `${here} -a ${name}${purpose === "" ? "" : ` -d ${quote(purpose)}`}`),
    ...flags.map((flag) => `${here} ${renderFlag(flag)}`),
  ];
}

function renderFlag({ name, purpose, value, choices }: ListedFlag): string {
  const doc = `-d ${quote(purpose)}`;
  if (value === null) return `-l ${name} ${doc}`;
  if (value === "text") return `-l ${name} -x${choices.length === 0 ? "" : ` -a ${quote(choices.join(" "))}`} ${doc}`;
  return `-l ${name} -r ${value === "file" ? "-F" : `-a ${quote("(__fish_complete_directories)")}`} ${doc}`;
}

/** Single quotes: https://fishshell.com/docs/current/language.html#quotes */
function quote(text: string): string {
  return `'${text.replaceAll("\\", "\\\\").replaceAll("'", "\\'")}'`;
}
