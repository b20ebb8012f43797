import { existsSync } from "node:fs";
import { join } from "node:path";
import { spawnGraph, type RemoteGraph } from "../test/e2e/support/graph.ts";
import { freePort } from "./free-port.ts";
import type { Machine } from "./machine/machine.ts";
import { answer, conclude, must, show, trialConfig, until, write } from "./machine/trial.ts";
import { misused, optionsOf } from "./options.ts";
import { bootSystemd } from "./systemd-trial/boot.ts";

/**
 * Installs a built Revka as a service under a real systemd and tries what the units promise: `bun run systemd-trial
 * [--binary dist/revka]`. Linux, root. Ends with 1 where something did not hold.
 */
const usage = "bun run systemd-trial [--binary dist/revka]";
const { values } = optionsOf(usage, { options: { binary: { type: "string" } } });
const binary = values.binary ?? join(import.meta.dir, "../dist/revka");
if (!existsSync(binary)) misused(usage, `${binary} is missing: bun run build`);

// In a process of its own: what runs inside the machine is waited for without letting anything else run.
const graph = await spawnGraph({ enforceWindow: false });
const { account } = graph;
const machine = await bootSystemd({ "/usr/local/bin/revka": binary });
try {
  console.log(machine.shell("systemctl --version | head -1; revka --version"));
  await dynamicAccount(machine, graph);
  await namedAccount(machine);
  await userService(machine);
} finally {
  await machine.stop();
  await graph.stop();
}
conclude();

function config(port: number): string {
  return trialConfig({ graph, port, verifyToken: "replaced by the credential" });
}

function unit(m: Machine, property: string): string {
  return m.shell(`systemctl show --property=${property} --value revka.service`);
}

async function dynamicAccount(m: Machine, simulator: RemoteGraph): Promise<void> {
  const port = await freePort();
  const url = `http://127.0.0.1:${port}`;
  await show("an account that exists only while it runs", () => {
    m.shell(`mkdir -p /etc/revka/secrets && umask 077 && cat > /etc/revka/config.toml <<'END'
${config(port)}END
printf %s ${account.appSecret} > /etc/revka/secrets/revka-whatsapp-app-secret
printf %s ${account.verifyToken} > /etc/revka/secrets/revka-whatsapp-verify-token
revka service install --credentials /etc/revka/secrets`);
    must(unit(m, "ActiveState") === "active", "is not active");
    return m.shell("ls -ld /var/lib/private/revka");
  });
  await show("READY comes after the port is open", async () => {
    const answer = await fetch(`${url}/health`);
    return `/health ${answer.status} right after \`service install\``;
  });
  await show("credentials are read", async () => {
    const ask = (token: string) =>
      fetch(`${url}/whatsapp?hub.mode=subscribe&hub.challenge=42&hub.verify_token=${token}`);
    must((await ask("replaced by the credential")).status === 403, "the file's token is taken");
    must((await (await ask(account.verifyToken)).text()) === "42", "the credential is not taken");
    return "the verify token of the credential, not that of the file";
  });
  await show("`~` is the state directory", () => {
    const home = m.shell(`tr '\\0' '\\n' < /proc/${unit(m, "MainPID")}/environ | grep ^HOME=`);
    must(home === "HOME=/var/lib/revka", home);
    return home;
  });
  await show("a signed message is answered under the filter of system calls", async () => {
    await write(simulator, port, "hello");
    return `"${await answer(simulator)}" by an agent of kind command`;
  });
  await show("the operator's commands reach it", () => {
    const words = "REVKA_HOME=/var/lib/revka revka";
    const status = m.shell(`${words} status`);
    must(/^Config +\/etc\/revka\/config\.toml$/m.test(status), status);
    return m.shell(`${words} send --to +15550001111 ping`);
  });
  await show("systemd-analyze security", () =>
    m.shell("systemd-analyze security --no-pager revka.service | tail -1"),
  );
  await show("lives on while it pings a watchdog of 2 s", async () => {
    m.shell(`mkdir -p /run/systemd/system/revka.service.d
printf '[Service]\\nWatchdogSec=2s\\n' > /run/systemd/system/revka.service.d/trial.conf
systemctl daemon-reload && systemctl restart revka.service`);
    await Bun.sleep(7_000);
    must(unit(m, "NRestarts") === "0", "was restarted");
    return "7 s without a restart";
  });
  await show("is restarted when it hangs (SIGSTOP)", async () => {
    const pid = unit(m, "MainPID");
    m.shell(`kill -STOP ${pid}`);
    const seconds = await until("a new process", 40, () => running(m, pid));
    const log = m.shell("journalctl --unit=revka.service --output=cat --no-pager --lines=30");
    must(log.includes("result 'watchdog'"), log);
    must(!log.includes("panic"), "the runtime printed a crash report");
    return `a new process after ${seconds.toFixed(1)} s`;
  });
  await show("is restarted when it is killed, after the delay of the unit", async () => {
    m.shell("rm -r /run/systemd/system/revka.service.d && systemctl daemon-reload");
    const pid = unit(m, "MainPID");
    m.shell(`kill -KILL ${pid}`);
    const seconds = await until("a new process", 40, () => running(m, pid));
    return `a new process after ${seconds.toFixed(1)} s (RestartUSec ${unit(m, "RestartUSec")})`;
  });
  await show("ends at `service stop`, and stays so", () => {
    const started = Date.now();
    m.shell("revka service stop");
    must(unit(m, "Result") === "success", unit(m, "Result"));
    must(unit(m, "ActiveState") === "inactive", unit(m, "ActiveState"));
    return `after ${((Date.now() - started) / 1000).toFixed(1)} s`;
  });
  await show("starts on what a daemon of root's made in its home", async () => {
    m.shell("cd /var/lib/revka && rm -r revka.db*");
    const daemon = "revka daemon --config /etc/revka/config.toml";
    m.shell(`REVKA_HOME=/var/lib/revka timeout --signal=TERM 3 ${daemon} || [ $? = 124 ]`);
    const made = m.shell("cd /var/lib/revka && ls -l revka.db*");
    m.shell("revka service start");
    must(unit(m, "ActiveState") === "active", "is not active");
    m.shell("revka service stop");
    return made.split("\n")[0] ?? "";
  });
  await show("a wrong config is not tried again", async () => {
    m.shell("echo 'agent = 1' > /etc/revka/config.toml; systemctl start revka.service || true");
    await Bun.sleep(1_000);
    must(unit(m, "ActiveState") === "failed", unit(m, "ActiveState"));
    must(unit(m, "ExecMainStatus") === "78", unit(m, "ExecMainStatus"));
    return "failed, exit 78";
  });
  m.shell("revka service uninstall");
}

async function namedAccount(m: Machine): Promise<void> {
  await show("a system service of the account that called sudo", async () => {
    m.shell(`useradd --create-home ada && cd /home/ada && install -d -m 700 -o ada .revka
cat > .revka/config.toml <<'END'
${config(await freePort())}END
chmod 600 .revka/config.toml && chown ada .revka/config.toml
SUDO_USER=ada revka service install --memory-max 512M`);
    must(unit(m, "ActiveState") === "active", "is not active");
    const owner = m.shell(`stat -c %U /proc/${unit(m, "MainPID")} /home/ada/.revka/revka.db`);
    must(owner === "ada\nada", owner);
    const exposure = m.shell("systemd-analyze security --no-pager revka.service | tail -1");
    m.shell("runuser -u ada -- revka status && revka service uninstall");
    return `runs as ada; ${exposure}`;
  });
}

async function userService(m: Machine): Promise<void> {
  const as = `runuser -u ada -- env XDG_RUNTIME_DIR=/run/user/$(id -u ada) HOME=/home/ada`;
  await show("a person's own service, without root", async () => {
    m.shell("loginctl enable-linger ada");
    await until("ada's service manager", 20, () => {
      return m.run("sh", "-c", `${as} systemctl --user is-system-running`).out === "running";
    });
    m.shell(`${as} revka service install --user`);
    m.shell(`${as} revka status`);
    const state = m.shell(`${as} systemctl --user show --property=ActiveState --value revka`);
    must(state === "active", state);
    return m.shell(
      `${as} systemd-analyze --user security --no-pager revka.service | tail -1; ${as} revka service uninstall --user`,
    );
  });
}

function running(m: Machine, notPid: string): boolean {
  const pid = unit(m, "MainPID");
  return unit(m, "ActiveState") === "active" && pid !== "0" && pid !== notPid;
}
