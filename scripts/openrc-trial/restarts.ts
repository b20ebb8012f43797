import { answer, must, show, until, write } from "../machine/trial.ts";
import { restartMachine } from "./boot.ts";
import {
  agentTakes,
  child,
  daemons,
  expectCode,
  expectText,
  home,
  isReady,
  log,
  timed,
  writeConfig,
  config,
  type Trial,
} from "./trial.ts";

/** Answers, and every way to stop and to start. */
export async function restarts(trial: Trial): Promise<void> {
  const { m, graph, port } = trial;
  await show("a signed message is answered", async () => {
    await write(graph, port, "hello");
    return `"${await answer(graph)}" by an agent of kind command`;
  });
  await show("one that is being answered at a restart is answered once", async () => {
    agentTakes(trial, 2);
    await write(graph, port, "and now?");
    await Bun.sleep(500);
    const seconds = timed(() => m.shell("revka service restart"));
    return `"${await answer(graph)}"; the restart took ${seconds} s`;
  });
  await show("and so where the agent outlasts the stop", async () => {
    agentTakes(trial, 30);
    await write(graph, port, "and now?");
    await Bun.sleep(500);
    const seconds = timed(() => m.shell("revka service stop"));
    must(Number(seconds) < 10, `the stop took ${seconds} s`);
    expectText(m.shell(`tail -n 1 ${log}`), '"msg":"stopped"');
    agentTakes(trial, 0);
    m.shell("revka service start");
    return `"${await answer(graph)}"; the stop took ${seconds} s`;
  });
  await show("stopped, it stays so, and says so", async () => {
    const seconds = timed(() => m.shell("revka service stop"));
    await Bun.sleep(3_000);
    must(daemons(m).length === 0, "it came back");
    const said = expectCode(m, 3, "rc-service revka status");
    expectCode(m, 1, "revka service status");
    m.shell("revka service start");
    return `after ${seconds} s; ${said}`;
  });
  await show("a broken config is refused, and the daemon goes on", () => {
    const before = child(m);
    writeConfig(m, "agent = 1\n");
    const said = expectCode(m, 78, "revka service restart");
    expectText(said, "not restarted", `${home}/config.toml:1`);
    must(child(m) === before && daemons(m).join() === before, "it does not");
    writeConfig(m, config(trial));
    return said.replaceAll("\n", " ");
  });
  await show("starts with the machine", async () => {
    restartMachine(m);
    const seconds = await until("an answer", 20, () => isReady(m));
    return `answers ${seconds.toFixed(1)} s after the boot`;
  });
  await show("and where the network does not come up", async () => {
    m.shell("touch /etc/no-network");
    restartMachine(m);
    expectCode(m, 3, "rc-service networking status");
    await until("an answer", 20, () => isReady(m));
    const before = child(m);
    m.shell("rm /etc/no-network && rc-service networking start && rc-service networking restart");
    must(child(m) === before, "it was restarted with the network");
    return "and is left alone when that starts, or starts anew";
  });
  await show("a log of more than 10 MiB begins anew at a start", () => {
    m.shell(`head -c 11000000 /dev/zero >> ${log} && revka service restart`);
    return m.shell(`stat -c '%n %s' ${log} ${log}.1`).replaceAll("\n", ", ");
  });
  await show("and by logrotate while it runs", () => {
    const before = child(m);
    m.shell(`logrotate --force --state /run/logrotate /etc/logrotate.d/revka`);
    expectText(m.shell(`cat ${log}.1`), "revka is running");
    must(m.shell(`stat -c %s ${log}`) === "0", "it is not empty");
    m.shell(`kill -HUP ${before}`);
    m.shell("sleep 1");
    must(m.shell(`stat -c %s ${log}`) !== "0" && child(m) === before, "it writes elsewhere");
    return m.shell(`stat -c '%n %a %U' ${log} ${log}.1`).replaceAll("\n", ", ");
  });
}
