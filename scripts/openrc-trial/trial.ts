import type { RemoteGraph } from "../../test/e2e/support/graph.ts";
import type { Machine } from "../machine/machine.ts";
import { must, trialConfig } from "../machine/trial.ts";

/** What the checks have in common: the machine, the Graph API's stand-in, and the port of the daemon under trial. */
export interface Trial {
  m: Machine;
  graph: RemoteGraph;
  port: number;
}

/** Where this file is, the agent takes as many seconds as it holds. */
const pace = "/run/agent-seconds";

export const log = "/var/log/revka.log";
export const home = "/home/ada/.revka";

export function config({ graph, port }: Trial): string {
  const { verifyToken, appSecret } = graph.account;
  const agent = `sleep $(cat ${pace} 2>/dev/null || echo 0); echo '{"text":"from a child"}'`;
  return trialConfig({ graph, port, verifyToken, appSecret, agent });
}

export function agentTakes({ m }: Trial, seconds: number): void {
  m.shell(`echo ${seconds} > ${pace}`);
}

/** Writes a config as `account` would keep it. */
export function writeConfig(
  m: Machine,
  text: string,
  path = `${home}/config.toml`,
  account = "ada",
) {
  m.shell(`umask 077; cat > '${path}' <<'END'
${text}END
chown ${account} '${path}'`);
}

/** The pid of the daemon, as supervise-daemon has noted it. */
export function child(m: Machine): string {
  return m.run("cat", "/run/openrc/options/revka/child_pid").out;
}

/** All processes of the daemon. */
export function daemons(m: Machine): string[] {
  return m.run("pidof", "revka").out.split(" ").filter(Boolean);
}

/** Whether it runs with every channel ready. */
export function isReady(m: Machine): boolean {
  return m.run("env", `REVKA_HOME=${home}`, "revka", "status").code === 0;
}

/** Runs it, and expects that exit code. Returns what was said. */
export function expectCode(m: Machine, code: number, line: string): string {
  const ran = m.run("sh", "-c", line);
  must(ran.code === code, `${line}: exit ${ran.code}\n${ran.out}`);
  return ran.out;
}

export function expectText(text: string, ...parts: string[]): void {
  for (const part of parts) must(text.includes(part), `no "${part}" in: ${text}`);
}

/** Seconds that it took. */
export function timed(act: () => unknown): string {
  const started = Date.now();
  act();
  return ((Date.now() - started) / 1000).toFixed(1);
}
