import { answer, must, show, until, write } from "../machine/trial.ts";
import {
  agentTakes,
  child,
  config,
  daemons,
  expectCode,
  expectText,
  isReady,
  log,
  timed,
  writeConfig,
  type Trial,
} from "./trial.ts";

/** Every way to end without being asked to. */
export async function crashes(trial: Trial): Promise<void> {
  const { m, graph, port } = trial;
  await show("killed in the middle of an answer it comes back, and answers once", async () => {
    agentTakes(trial, 2);
    await write(graph, port, "still there?");
    await Bun.sleep(500);
    const pid = child(m);
    m.shell(`kill -KILL ${pid}`);
    expectText(expectCode(m, 1, "revka service status"), "about to be started anew");
    const seconds = await until("a new process", 20, () => running(trial, pid));
    agentTakes(trial, 0);
    const text = await answer(graph);
    expectText(expectCode(m, 0, "revka service status"), "status: started", "started anew 1 times");
    return `a new process after ${seconds.toFixed(1)} s, "${text}"`;
  });
  await show("a start with a config that it refuses is a failure, and says why", () => {
    m.shell("revka service stop");
    writeConfig(m, "agent = 1\n");
    let said = "";
    const seconds = timed(() => (said = expectCode(m, 1, "revka service start")));
    expectText(said, "the service did not start", "agent: expected a table");
    return `after ${seconds} s`;
  });
  await show("what always ends at once is tried again, not hot, and that is seen", async () => {
    const tries = () => Number(m.run("cat", "/run/openrc/options/revka/start_count").out);
    const before = tries();
    const busy = cpuTicks(trial);
    await Bun.sleep(10_000);
    const perMinute = (tries() - before) * 6;
    must(perMinute > 0 && perMinute <= 31, `${perMinute} times a minute`);
    expectText(expectCode(m, 1, "revka service status"), "about to be started anew");
    const bytes = m.shell(`stat -c %s ${log}`);
    const share = (cpuTicks(trial) - busy) / 10;
    return `${perMinute} times a minute, ${share.toFixed(1)} % of a processor; a log of ${bytes} bytes`;
  });
  await show("and once the config is mended, it runs", async () => {
    writeConfig(m, config(trial));
    const seconds = await until("an answer", 40, () => isReady(m));
    return `after ${seconds.toFixed(1)} s`;
  });
  await show("where the supervisor itself was killed, a restart leaves one daemon", () => {
    const pid = child(m);
    m.shell("kill -KILL $(cat /run/supervise-revka.pid)");
    const said = expectCode(m, 1, "revka service status");
    must(daemons(m).join() === pid, "the daemon ended with it");
    m.shell("revka service restart");
    must(daemons(m).join() === child(m) && child(m) !== pid, daemons(m).join());
    return `before it: ${said}`;
  });
}

function running({ m }: Trial, notPid: string): boolean {
  return child(m) !== notPid && daemons(m).join() === child(m);
}

/** Hundredths of a second that all ended children of the supervisor have used. */
function cpuTicks({ m }: Trial): number {
  const stat = m.shell("cat /proc/$(cat /run/supervise-revka.pid)/stat");
  const [, children] = /\) (.*)$/.exec(stat) ?? [];
  const fields = (children ?? "").split(" ").map(Number);
  return (fields[13] ?? 0) + (fields[14] ?? 0);
}
