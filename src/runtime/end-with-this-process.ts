import { builtin } from "./builtin.ts";

/**
 * Is told of process groups that begin and end, and kills those left as soon as its standard input closes: that is when
 * this process is gone, even by SIGKILL. One for all of them, so that a program costs a line and no process more.
 */
const keeper = `
trap '' HUP INT TERM
left=' '
while read -r what group; do
  case $what in
    +) left="$left$group " ;;
    *) left="\${left%% $group *} \${left#* $group }" ;;
  esac
done
for group in $left; do kill -KILL -$group; done`;

const running = new Set<number>();
let watched = false;
let tell: ((line: string) => void) | null = null;

/**
 * Kills a process group where this process ends first: nobody would read what its programs have to say, and the next
 * process may start them anew. To be called as soon as the group is there; the answer is for when it has ended.
 */
export function endWithThisProcess(group: number): () => void {
  if (!watched) {
    watched = true;
    process.once("exit", () => {
      for (const each of running) killGroup(each, "SIGKILL");
    });
  }
  running.add(group);
  if (tell) tell(`+ ${group}\n`);
  else tell = startKeeper();
  return () => {
    running.delete(group);
    tell?.(`- ${group}\n`);
  };
}

export function killGroup(group: number, signal: "SIGTERM" | "SIGKILL"): void {
  try {
    process.kill(-group, signal);
  } catch {
    // The group is gone already.
  }
}

/** Where there is no shell, or no room for one, programs run without. */
function startKeeper(): typeof tell {
  try {
    const child = builtin.childProcess().spawn("/bin/sh", ["-c", keeper], {
      cwd: "/",
      env: {},
      stdio: ["pipe", "ignore", "ignore"],
      detached: true,
    });
    const write = (line: string) => void child.stdin.write(line);
    const gone = () => {
      if (tell === write) tell = null;
    };
    child.on("error", gone);
    child.on("exit", gone);
    if (child.pid === undefined) return null;
    child.stdin.on("error", () => {});
    // Neither keeps this process going.
    child.unref();
    if ("unref" in child.stdin && typeof child.stdin.unref === "function") child.stdin.unref();
    for (const group of running) write(`+ ${group}\n`);
    return write;
  } catch {
    return null;
  }
}
