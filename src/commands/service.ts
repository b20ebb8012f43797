import { join } from "node:path";
import { shellQuote } from "../runtime/shell-quote.ts";
import { accountOf } from "../service/accounts.ts";
import { carryOut } from "../service/carry-out.ts";
import { detectManager, managers, type ServiceManager } from "../service/detect.ts";
import {
  ServiceRefusal,
  serviceVerbs,
  type ServicePlan,
  type ServiceVerb,
} from "../service/plan.ts";
import { CommandError, exitCode, UsageError, type Command, type Invocation } from "./command.ts";
import { askDaemonIfRunning } from "./running-daemon.ts";
import { planOf, requestOf } from "./service/request.ts";

/** A start takes a second or two on a Raspberry Pi. */
const patienceMs = 20_000;

export const command: Command = {
  usage: `service ${serviceVerbs.join("|")}`,
  about:
    "Installs Revka as a service that starts at boot and comes back after a crash, and steers it. As root it becomes a system service that runs under the account that called sudo, or under one of its own with /etc/revka/config.toml; with --user it belongs to you.",
  options: {
    user: { description: "Your own service, without root (systemd, launchd)" },
    "run-as": { value: "USER", description: "Account of a system service" },
    credentials: {
      value: "DIR",
      description: "Secrets as files in DIR (revka-whatsapp-app-secret, …), handed over by systemd",
    },
    "memory-max": { value: "SIZE", description: "Limit, such as 512M (systemd)" },
    manager: { value: "NAME", description: `${managers.join(", ")} (default: the one that runs)` },
    "dry-run": { description: "Show what would be written and run, and do nothing" },
  },
  positionals: [1, 1],
  examples: [
    ["sudo revka service install", "starts now and at every boot, as you"],
    ["revka service install --user", "the same without root"],
    ["revka service install --dry-run", "read it first"],
    ["revka service logs", "the last 200 lines"],
  ],
  async run(invocation) {
    const verb = serviceVerbs.find((candidate) => candidate === invocation.positionals[0]);
    if (!verb) {
      throw new UsageError(
        `"${invocation.positionals[0]}" is none of ${serviceVerbs.join(", ")}: revka service VERB`,
      );
    }
    try {
      return await steer(verb, invocation);
    } catch (error) {
      throw error instanceof ServiceRefusal ? new CommandError(error.message) : error;
    }
  },
};

async function steer(verb: ServiceVerb, invocation: Invocation): Promise<number> {
  const { options, terminal } = invocation;
  const dryRun = options["dry-run"] === true;
  const manager = chosenManager(options["manager"]);
  const request = await requestOf(verb, manager, invocation, dryRun);
  const plan = planOf(verb, manager, request, invocation);
  if (dryRun) {
    terminal.out(described(plan));
    return exitCode.fine;
  }
  const code = await carryOut(
    plan,
    undefined,
    request.account === null ? null : accountOf(request.account),
    () => isUp(join(request.home, "revka.sock")),
  );
  if (code === 0) for (const note of plan.notes) terminal.out(`${note}\n`);
  else if (plan.trouble.length > 0) {
    const more = `revka service logs${request.scope === "user" ? " --user" : ""}`;
    terminal.err(
      `revka: the service did not start; its log ends as above, and \`${more}\` has more\n`,
    );
  }
  return code === 0 ? exitCode.fine : exitCode.failed;
}

/** Whether a daemon answers there within {@link patienceMs}. */
async function isUp(socket: string): Promise<boolean> {
  const until = Date.now() + patienceMs;
  do {
    const status = await askDaemonIfRunning(socket, (daemon) => daemon.status()).catch(() => null);
    if (status !== null) return true;
    await new Promise((resolve) => setTimeout(resolve, 200));
  } while (Date.now() < until);
  return false;
}

function chosenManager(option: string | true | undefined): ServiceManager {
  if (option === undefined) return detectManager();
  const manager = managers.find((candidate) => candidate === option);
  if (!manager) throw new UsageError(`--manager "${option}" is none of ${managers.join(", ")}`);
  return manager;
}

/** A plan as the commands and files a person would type and write. */
function described(plan: ServicePlan): string {
  const shown = (words: readonly string[]) => `$ ${words.map(shellQuote).join(" ")}`;
  const lines = [
    ...plan.before.map(({ command: words }) => shown(words)),
    ...plan.folders.map(({ path, mode }) => `# folder ${path} (mode ${mode.toString(8)})`),
    ...plan.files.flatMap(({ path, mode, content }) => [
      `# ${path} (mode ${mode.toString(8)})`,
      content,
    ]),
    ...plan.remove.map((path) => shown(["rm", path])),
    ...plan.after.map(({ command: words }) => shown(words)),
    ...plan.notes.map((note) => `# ${note}`),
  ];
  return `${lines.join("\n")}\n`;
}
