import { must, show } from "../machine/trial.ts";
import {
  child,
  config,
  daemons,
  expectCode,
  expectText,
  home,
  log,
  writeConfig,
  type Trial,
} from "./trial.ts";

const secret = "sk-of-the-shell";

/** What `service install` does, says and refuses; at its end the service runs as ada. */
export async function installation(trial: Trial): Promise<void> {
  const { m, graph } = trial;
  m.shell(`useradd --create-home ada && install -d -m 700 -o ada ${home}`);
  writeConfig(m, config(trial));
  await refusals(trial);
  await show("--dry-run shows all and does nothing", () => {
    const shown = m.shell("SUDO_USER=ada revka service install --dry-run");
    expectText(shown, "#!/sbin/openrc-run", "$ rc-update add revka default", "command_user='ada'");
    must(
      m.shell("ls /etc/init.d /etc/logrotate.d /var/log | grep -c revka || true") === "0",
      "did",
    );
    return `${shown.split("\n").length} lines`;
  });
  await show("a service of the account that called doas, up when the command ends", async () => {
    m.shell(`OPENAI_API_KEY=${secret} runuser -u ada -- doas revka service install`);
    const health = await fetch(`http://127.0.0.1:${trial.port}/health`);
    must(health.status === 200, `/health ${health.status}`);
    const owners = m.shell(`stat -c '%U %a' /proc/${child(m)} ${home} ${home}/revka.db ${log}`);
    must(owners === "ada 555\nada 700\nada 600\nada 600", owners);
    return "as ada, /health 200, store and log 0600";
  });
  await show("it gets nothing of the shell, and shows no secret", () => {
    const environment = m.shell(`tr '\\0' '\\n' < /proc/${child(m)}/environ`);
    must(!environment.includes(secret), environment);
    expectText(environment, `REVKA_HOME=${home}`, "HOME=/home/ada", "/usr/local/bin");
    const seen = m.shell(`ps; cat /etc/init.d/revka /var/log/messages ${log}`);
    const { accessToken, appSecret = "", verifyToken } = graph.account;
    for (const hidden of [accessToken, appSecret, verifyToken]) {
      must(!seen.includes(hidden), `${hidden} is seen`);
    }
    return "none in its environment, the list of processes, the script, the logs";
  });
  await show("installed once more it is there once", () => {
    const before = child(m);
    m.shell("SUDO_USER=ada revka service install");
    must(child(m) !== before && daemons(m).join() === child(m), daemons(m).join());
    return "another process, one of it";
  });
  await show("status and logs for whoever asks", () => {
    const told = ["", "runuser -u ada -- ", "runuser -u nobody -- "].map((as) =>
      expectCode(m, 0, `${as}revka service status`),
    );
    for (const text of told) expectText(text, "status: started");
    expectText(m.shell("revka service logs"), "revka is running");
    expectText(m.shell("runuser -u ada -- revka service logs"), "revka is running");
    expectCode(m, 1, "runuser -u nobody -- revka service logs");
    expectText(
      m.shell(`REVKA_HOME=${home} revka doctor || true`),
      "is installed and starts at boot",
    );
    return "the status for all, the log for root and the service's account";
  });
}

async function refusals({ m }: Trial): Promise<void> {
  const install = "revka service install";
  await show("what OpenRC has not is refused before anything is done", () => {
    m.shell("mkdir -m 700 /etc/secrets && echo x > /etc/secrets/revka-api-key");
    const refused: [words: string, said: string][] = [
      [install, "--run-as USER"],
      [`${install} --user`, "OpenRC runs system services only"],
      [`${install} --run-as nobody-here`, "there is no account nobody-here"],
      [`SUDO_USER=ada ${install} --credentials /etc/secrets`, "keep secrets in the config"],
      [`SUDO_USER=ada ${install} --memory-max 100M`, "--memory-max is for systemd"],
      ["revka service start", "does not exist"],
      ["runuser -u ada -- revka service stop", "a system service needs root"],
    ];
    for (const [words, said] of refused) expectText(expectCode(m, 1, words), said);
    m.shell("rm -r /etc/secrets && test ! -e /etc/init.d/revka");
    return refused.map(([, said]) => said).join("; ");
  });
}

/** What stays behind; before it, other places and accounts. */
export async function uninstallation(trial: Trial): Promise<void> {
  const { m } = trial;
  await show("uninstalled, nothing but the home is left", () => {
    expectText(m.shell("revka service uninstall"), `Config, messages and session stay in ${home}.`);
    must(daemons(m).length === 0, "it still runs");
    const left = m.shell(
      "find /etc /var /run /usr/lib /opt -name '*revka*' -not -path '/run/openrc/options/*'",
    );
    must(left === "", left);
    expectCode(m, 1, "revka service status");
    m.shell("revka service uninstall");
    return m.shell(`ls ${home}`).replaceAll("\n", " ");
  });
  await show("blanks, quotes and `$` in its paths", () => {
    const odd = "/srv/it's $HOME & more";
    const quoted = `'/srv/it'\\''s $HOME & more'`;
    m.shell(`useradd bob && install -d -o bob ${quoted} && cp ${home}/config.toml ${quoted}/'a b.toml'
chown bob ${quoted}/'a b.toml'
cd / && REVKA_HOME=${quoted}/'new  home' revka service install --run-as bob --config ${quoted}/'a b.toml'`);
    const words = m.shell(`tr '\\0' '\\n' < /proc/${child(m)}/cmdline`);
    must(words === `/usr/local/bin/revka\ndaemon\n--config\n${odd}/a b.toml`, words);
    must(m.shell(`stat -c '%U %a' ${quoted}/'new  home'`) === "bob 700", "its home is not bob's");
    m.shell("revka service restart");
    const said = m.shell("revka service uninstall");
    expectText(said, `stay in ${odd}/new  home`, `the config is ${odd}/a b.toml`);
    return words.replaceAll("\n", " ");
  });
  await show(
    "as root for root, in folders that are not there yet, its secrets encrypted",
    async () => {
      // As the original wrote it: "verify-me".
      const key = "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f";
      const verify =
        "enc2:0102030405060708090a0b0c12ed36036f2b89de2d2f9db70b554b6c653bfc688cded677b9";
      m.shell(`mkdir -p -m 755 /root/.revka && printf %s ${key} > /root/.revka/.secret_key`);
      const encrypted = config(trial).replace(trial.graph.account.verifyToken, verify);
      writeConfig(m, encrypted, "/root/.revka/config.toml", "root");
      const file = "--config /root/.revka/config.toml";
      m.shell(`REVKA_HOME=/srv/deep/er revka service install --run-as root ${file}`);
      const ask = "whatsapp?hub.mode=subscribe&hub.challenge=42&hub.verify_token=verify-me";
      const answer = await (await fetch(`http://127.0.0.1:${trial.port}/${ask}`)).text();
      must(answer === "42", answer);
      must(m.shell("stat -c %a /root/.revka") === "755", "a folder that was there has changed");
      m.shell("revka service uninstall");
      return m.shell("stat -c '%n %U %a' /srv/deep /srv/deep/er").replaceAll("\n", ", ");
    },
  );
}
