import { afterEach, beforeEach, describe, expect, spyOn, test } from "bun:test";
import { existsSync, mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { revka, temporaryHome } from "../support/command.ts";

const undo: (() => unknown)[] = [];
let home: string;
let bin: string;
let env: Record<string, string>;
let config: string;

/** A program of that name, before all others of the machine: it notes its words, then does this. */
function program(name: string, script = ""): void {
  const noted = `echo "${name} $*" >> '${home}/ran'\n`;
  writeFileSync(join(bin, name), `#!/bin/sh\n${noted}${script}`, { mode: 0o755 });
}
/** What was run of the service manager, in order. */
function ran(): string[] {
  if (!existsSync(join(home, "ran"))) return [];
  return readFileSync(join(home, "ran"), "utf8")
    .trim()
    .split("\n")
    .filter((line) => !/^(id|getent) |--version$/.test(line));
}

beforeEach(() => {
  home = temporaryHome(undo);
  bin = join(home, "bin");
  mkdirSync(bin);
  program("id", "echo ada");
  // The accounts of this machine are none of the tests' business.
  program("getent", `[ "$2" = ada ] && echo "ada:x:1000:1000::${home}/ada:/bin/sh"`);
  program("systemctl", '[ "$1" = --version ] && echo "systemd 252 (252.30)"; exit 0');
  for (const name of ["loginctl", "journalctl", "launchctl", "rc-service", "rc-update"]) {
    program(name);
  }
  const path = process.env["PATH"];
  process.env["PATH"] = `${bin}:${path}`;
  undo.push(() => (process.env["PATH"] = path));
  env = { HOME: join(home, "me") };
  config = join(home, "me/.revka/config.toml");
  mkdirSync(join(config, ".."), { recursive: true });
  writeFileSync(config, '[agent]\nkind = "echo"\n', { mode: 0o600 });
});
afterEach(() => {
  for (const step of undo.splice(0).toReversed()) step();
});

function as(uid: number): void {
  const spy = spyOn(process, "getuid").mockReturnValue(uid);
  undo.push(() => spy.mockRestore());
}
const service = (...words: string[]) => revka(["service", ...words], env);
const mine = ["--user", "--manager", "systemd"];
const unit = () => join(home, "me/.config/systemd/user/revka.service");

describe("one's own service", () => {
  test("is written, enabled and started", async () => {
    const { code, out, err } = await service("install", ...mine);
    expect({ code, err }).toEqual({ code: 0, err: "" });
    expect(out).toContain("systemctl --user edit revka.service");
    expect(ran()).toEqual([
      "systemctl --user daemon-reload",
      "systemctl --user enable revka.service",
      "loginctl enable-linger ada",
      "systemctl --user restart revka.service",
    ]);
    const lines = readFileSync(unit(), "utf8").split("\n");
    expect(lines).toContain(`Environment="REVKA_HOME=${home}/me/.revka"`);
    expect(lines.some((line) => line.endsWith(` daemon --config ${config}`))).toBe(true);
    // The systemd that runs here is asked for its version.
    expect(lines).toContain("RestartSec=10s");
    expect(statSync(unit()).mode & 0o777).toBe(0o644);
  });

  test("that does not start is a failure, and its log says why", async () => {
    program("systemctl", '[ "$2" = restart ] && exit 5; exit 0');
    for (const verb of ["install", "restart"]) {
      rmSync(join(home, "ran"), { force: true });
      expect(await service(verb, ...mine)).toEqual({
        code: 1,
        out: "",
        err: "revka: the service did not start; its log ends as above, and `revka service logs --user` has more\n",
      });
      expect(ran().at(-1)).toBe(
        "journalctl --user --unit revka.service --lines=10 --no-pager --output=cat",
      );
    }
  });

  test.each([
    ["a wrong config", 78, (file: string) => writeFileSync(file, "agent = 1\n")],
    ["no config", 78, (file: string) => rmSync(file)],
    ["a sound config", 0, () => {}],
    [
      "a wrong config and a drop-in, which may mend it",
      0,
      (file: string) => {
        writeFileSync(file, "agent = 1\n");
        mkdirSync(`${unit()}.d`);
      },
    ],
  ])("is not stopped for one that would not start: %s is %d", async (_, code, change) => {
    await service("install", ...mine);
    rmSync(join(home, "ran"));
    change(config);
    const restarted = await service("restart", ...mine);
    expect(restarted.code).toBe(code);
    if (code === 0) return expect(ran()).toEqual(["systemctl --user restart revka.service"]);
    expect(restarted.err).toStartWith(
      "revka: not restarted: with this config it would not start\n",
    );
    expect(restarted.err).toContain(config);
    expect(ran()).toEqual([]);
  });

  test("starts also where it may not linger", async () => {
    program("loginctl", "exit 1");
    expect((await service("install", ...mine)).code).toBe(0);
    expect(ran().at(-1)).toBe("systemctl --user restart revka.service");
  });

  test("goes away alone: config and home stay, and it may be gone already", async () => {
    await service("install", ...mine);
    for (let times = 0; times < 2; times++) {
      const { code, out } = await service("uninstall", ...mine);
      expect(code).toBe(0);
      expect(out).toBe(`Config, messages and session stay in ${home}/me/.revka.\n`);
      expect(existsSync(unit())).toBe(false);
      expect(existsSync(config)).toBe(true);
    }
  });

  test("is not installed through sudo, which is root", async () => {
    as(0);
    env["SUDO_USER"] = "ada";
    expect(await service("install", ...mine)).toEqual({
      code: 1,
      out: "",
      err: "revka: --user is for whoever runs this, and sudo makes that root: leave one of the two out\n",
    });
    expect(existsSync(unit())).toBe(false);
    expect(ran()).toEqual([]);
  });

  test("keeps its home, and says so wherever that is", async () => {
    mkdirSync(join(home, "other"));
    writeFileSync(join(home, "other/config.toml"), '[agent]\nkind = "echo"\n');
    env["REVKA_HOME"] = join(home, "other");
    await service("install", ...mine);
    delete env["REVKA_HOME"];
    expect((await service("uninstall", ...mine)).out).toBe(
      `Config, messages and session stay in ${home}/other.\n`,
    );
  });

  test.each([
    [0, 0],
    [3, 1],
  ])("whose manager ends with %d ends with %d", async (given, code) => {
    program("systemctl", `exit ${given}`);
    for (const verb of ["start", "stop", "restart", "status"]) {
      expect((await service(verb, ...mine)).code).toBe(code);
    }
  });

  test("under launchd is what anybody but root means", async () => {
    as(1000);
    const plist = join(home, "me/Library/LaunchAgents/com.revka.daemon.plist");
    expect((await service("install", "--manager", "launchd")).code).toBe(0);
    expect(readFileSync(plist, "utf8")).toContain(`<string>${config}</string>`);
    expect(ran().at(-1)).toBe(`launchctl bootstrap gui/1000 ${plist}`);
  });
});

describe("a system service", () => {
  // Not to install or uninstall: a test that is red must not touch the machine's own.
  test.each(["start", "stop", "restart"])("is nobody's but root's to %s", async (verb) => {
    as(1000);
    const { code, err } = await service(verb, "--manager", "openrc");
    expect({ code, err }).toEqual({
      code: 1,
      err: `revka: a system service needs root: sudo revka service ${verb}; or, for yourself: revka service ${verb} --user\n`,
    });
    expect(ran()).toEqual([]);
  });

  test.each([
    ["systemd", "systemctl start revka.service"],
    ["openrc", "rc-service revka start"],
    ["launchd", "launchctl bootstrap system /Library/LaunchDaemons/com.revka.daemon.plist"],
  ])("is started by the manager that is named: %s", async (manager, words) => {
    as(0);
    expect((await service("start", "--manager", manager)).code).toBe(0);
    expect(ran()).toEqual([words]);
  });

  test("that a manager cannot have is refused in words, not as a fault of Revka's", async () => {
    const { code, err } = await service("start", "--manager", "openrc", "--user");
    expect({ code, err }).toEqual({
      code: 1,
      err: "revka: OpenRC runs system services only; leave --user out and use root\n",
    });
  });

  test.each([
    ["status", "systemctl status --no-pager revka.service"],
    ["logs", "journalctl --unit revka.service --lines=200 --no-pager --output=cat"],
  ])("may be looked at by anybody: %s", async (verb, words) => {
    as(1000);
    expect((await service(verb, "--manager", "systemd")).code).toBe(0);
    expect(ran()).toEqual([words]);
  });

  const planned = async (...words: string[]) => {
    as(0);
    const { code, out, err } = await service("install", "--dry-run", ...words);
    expect({ code, err }).toEqual({ code: 0, err: "" });
    expect(ran()).toEqual([]);
    return out;
  };

  test.each<[string, Record<string, string>, string[], string]>([
    ["who called sudo", { SUDO_USER: "ada" }, [], "ada"],
    ["who is named", { SUDO_USER: "ada" }, ["--run-as", "daemon"], "daemon"],
    ["root, where it is named", {}, ["--run-as", "root"], "root"],
    ["who runs this", {}, [], "ada"],
  ])("runs as %s", async (_, more, words, account) => {
    Object.assign(env, more);
    const out = await planned("--manager", "systemd", ...words);
    expect(out).toContain(`\nUser=${account}\n`);
    expect(out).not.toContain("DynamicUser");
    const its = account === "ada" ? `${home}/ada` : `${home}/me`;
    expect(out).toContain(`\nEnvironment="REVKA_HOME=${its}/.revka"\n`);
    expect(out).toContain(`# folder ${its}/.revka (mode 700)\n`);
  });

  const free = !existsSync("/etc/revka/config.toml");
  test.if(free)(
    "of root is not installed without its config, and root's own is told to become it",
    async () => {
      program("id", "echo root");
      as(0);
      const { code, err } = await service("install", "--manager", "launchd");
      expect({ code, err }).toEqual({
        code: 78,
        err: `/etc/revka/config.toml: no such file, and a service with an account of its own reads no other; yours becomes it by \`install -D -m 600 ${config} /etc/revka/config.toml\`\n`,
      });
      expect(ran()).toEqual([]);
    },
  );

  test.each([{}, { SUDO_USER: "root" }])("of root has an account of its own: %p", async (more) => {
    program("id", "echo root");
    Object.assign(env, more);
    const out = await planned("--manager", "launchd");
    expect(out).toContain("# /Library/LaunchDaemons/com.revka.daemon.plist (mode 644)");
    expect(out).toContain("<string>/var/lib/revka</string>");
    expect(out).toContain("<string>/etc/revka/config.toml</string>");
    expect(out).not.toContain("UserName");
    const gone = await service("uninstall", "--manager", "launchd", "--dry-run");
    expect(gone.out).toEndWith(
      "# Messages and session stay in /var/lib/revka, the config is /etc/revka/config.toml.\n",
    );
    const named = await planned("--manager", "launchd", "--config", "/etc/other.toml");
    expect(named).toContain("<string>/etc/other.toml</string>");
    env["REVKA_CONFIG"] = "/srv/another.toml";
    expect(await planned("--manager", "launchd")).toContain("<string>/srv/another.toml</string>");
    env["REVKA_HOME"] = " ";
    expect(await planned("--manager", "launchd")).toContain("<string>/var/lib/revka</string>");
  });

  test("is not written for an account that does not exist, and goes when that is gone", async () => {
    program("getent", "exit 2");
    as(0);
    const words = ["--manager", "systemd", "--run-as", "nobody-here"];
    expect(await service("install", "--dry-run", ...words)).toMatchObject({
      code: 1,
      err: "revka: there is no account nobody-here: create it first, or name another with --run-as\n",
    });
    expect(ran()).toEqual([]);
    expect((await service("uninstall", "--dry-run", ...words)).code).toBe(0);
  });

  test("may have an account of a domain", async () => {
    env["SUDO_USER"] = "ada.of.the.long.name@corp.example.com";
    const out = await planned("--manager", "systemd");
    expect(out).toContain("\nUser=ada.of.the.long.name@corp.example.com\n");
  });

  test("a name that is none is wrong usage, also from sudo", async () => {
    env["SUDO_USER"] = "a b";
    as(0);
    const { code, err } = await service("install", "--dry-run", "--manager", "systemd");
    expect({ code, err }).toMatchObject({ code: 2, err: expect.stringContaining('"a b" is no') });
  });
});

describe("what a service is given", () => {
  const install = (...words: string[]) => service("install", "--dry-run", ...mine, ...words);

  test("the secrets that are there, and no others", async () => {
    const folder = join(home, "secrets");
    mkdirSync(folder);
    const none = await install("--credentials", folder);
    expect({ code: none.code, err: none.err }).toMatchObject({
      code: 1,
      err: expect.stringContaining(`${folder} holds no credential; known names: revka-`),
    });
    writeFileSync(join(folder, "revka-whatsapp-app-secret"), "s3cret");
    writeFileSync(join(folder, "unknown"), "s3cret");
    const { out } = await install("--credentials", folder);
    expect(out.match(/^LoadCredential=.*$/gm)).toEqual([
      `LoadCredential=revka-whatsapp-app-secret:${folder}/revka-whatsapp-app-secret`,
    ]);
    expect(out).not.toContain("s3cret");
  });

  test("no config that lacks what they hold is refused", async () => {
    const folder = join(home, "secrets");
    mkdirSync(folder);
    writeFileSync(config, `[agent]\nkind = "echo"\n[channels_config.wati]\n`);
    expect((await install("--credentials", folder)).code).toBe(1);
    writeFileSync(join(folder, "revka-api-key"), "s3cret");
    expect((await install("--credentials", folder)).code).toBe(78);
    writeFileSync(join(folder, "revka-wati-api-token"), "s3cret");
    const { code, err } = await install("--credentials", folder);
    expect({ code, err }).toEqual({ code: 0, err: "" });
  });

  test("nothing of the environment that it is installed from", async () => {
    Object.assign(env, {
      REVKA_GATEWAY_PORT: "8080",
      REVKA_WHATSAPP_APP_SECRET: "s3cret",
      REVKA_GATEWAY_HOST: "",
      REVKA_LOG: "debug",
    });
    const { code, err } = await install();
    const words = "is set here, and the service does not get it";
    expect({ code, err }).toEqual({ code: 0, err: `warning: REVKA_GATEWAY_PORT ${words}\n` });
    writeFileSync(config, '[agent]\nkind = "echo"\n[gateway]\nport = 0\n');
    expect((await install()).code).toBe(78);
  });

  test("a credential whose name is none is told with the one that was meant, another file is not", async () => {
    const folder = join(home, "secrets");
    mkdirSync(folder);
    for (const name of ["revka-whatsapp-app-secrt", "revka-foo", "README", "unknown"]) {
      writeFileSync(join(folder, name), "s3cret");
    }
    const none = await install("--credentials", folder);
    expect(none).toMatchObject({ code: 1, out: "" });
    expect(none.err).toContain(
      `warning: ${folder}/revka-whatsapp-app-secrt is not handed over; did you mean revka-whatsapp-app-secret?\n`,
    );
    expect(none.err).toContain(`revka: ${folder} holds no credential; known names: revka-`);
    writeFileSync(join(folder, "revka-api-key"), "s3cret");
    const { code, out, err } = await install("--credentials", folder);
    expect(code).toBe(0);
    expect(out.match(/^LoadCredential=.*$/gm)).toHaveLength(1);
    expect(err.split("\n")).toEqual([
      expect.stringMatching(
        /revka-foo is not handed over; known names: revka-whatsapp-access-token, /,
      ),
      expect.stringContaining("did you mean revka-whatsapp-app-secret?"),
      "",
    ]);
  });

  const cloud = `[channels_config.whatsapp]
access_token = "t"
phone_number_id = "123456"
verify_token = "v"
`;

  test.each([
    [cloud, "", ["no app secret", "revka-whatsapp-app-secret"]],
    [`${cloud}app_secret = "s"\n`, "", []],
    [cloud, "revka-whatsapp-app-secret", []],
    [
      'default_provider = "openai"\ndefault_model = "m"\n',
      "",
      ["no key for openai", "revka-api-key"],
    ],
    ['default_provider = "openai"\ndefault_model = "m"\n', "revka-api-key", []],
    ['default_provider = "openai"\ndefault_model = "m"\napi_key = "k"\n', "", []],
    ['default_provider = "ollama"\ndefault_model = "m"\n', "", []],
  ])("what only this shell has is missed: %p with %p", async (text, credential, words) => {
    env["OPENAI_API_KEY"] = "k";
    env["REVKA_WHATSAPP_APP_SECRET"] = "s";
    writeFileSync(config, text.includes("model") ? text : `${text}[agent]\nkind = "echo"\n`);
    const folder = join(home, "secrets");
    mkdirSync(folder);
    if (credential) writeFileSync(join(folder, credential), "s3cret");
    const { code, err } = await install(...(credential ? ["--credentials", folder] : []));
    expect(code).toBe(0);
    if (words.length === 0) expect(err).toBe("");
    for (const word of words) expect(err.replaceAll("\n", " ")).toContain(word);
  });

  test("a folder of secrets that is not there is not called empty", async () => {
    const file = join(home, "file");
    writeFileSync(file, "");
    for (const [path, words] of [
      [join(home, "nowhere"), "is not there: make it, or name another folder"],
      [file, "is no folder"],
    ] as const) {
      const { code, err } = await install("--credentials", path);
      expect({ code, err }).toEqual({ code: 1, err: `revka: --credentials: ${path} ${words}\n` });
    }
  });

  test.each([
    ["512M", 0],
    ["1073741824", 0],
    ["50%", 0],
    ["512MB", 2],
    ["-1", 2],
    ["1\nUser=root", 2],
  ])("a limit of %p is %d", async (size, code) => {
    const answer = await install(`--memory-max=${size}`);
    expect(answer.code).toBe(code);
    expect(answer.out.includes(`\nMemoryMax=${size}\n`)).toBe(code === 0);
  });

  test("the folders outside its home that the config names, each once", async () => {
    writeFileSync(
      config,
      `[agent]\nkind = "echo"\n[store]\npath = "${home}/me/.revka-too/s.db"\n[channels_config.whatsapp]\nsession_path = "~/.revka/deep/session.db"\n`,
    );
    const words = ["install", "--dry-run", "--manager", "systemd", "--config", config];
    as(0);
    env["REVKA_HOME"] = join(home, "me/.revka");
    env["SUDO_USER"] = "ada";
    const first = await service(...words);
    expect(first.out.match(/^ReadWritePaths=.*$/gm)).toEqual([
      `ReadWritePaths="${home}/me/.revka"`,
      `ReadWritePaths="-${home}/me/.revka-too"`,
      `ReadWritePaths="-${home}/ada/.revka/deep"`,
    ]);
    env["REVKA_HOME"] = join(home, "ada/.revka");
    const second = await service(...words);
    expect(second.out.match(/^ReadWritePaths=.*$/gm)).toEqual([
      `ReadWritePaths="${home}/ada/.revka"`,
      `ReadWritePaths="-${home}/me/.revka-too"`,
    ]);
  });

  test.each([
    ["store.path", '[store]\npath = "data/s.db"\n'],
    [
      "channels_config.whatsapp.session_path",
      '[channels_config.whatsapp]\nsession_path = "session.db"\n',
    ],
  ])("no %s that begins where somebody stands", async (key, more) => {
    writeFileSync(config, `[agent]\nkind = "echo"\n${more}`);
    expect(await service("install", ...mine)).toEqual({
      code: 1,
      out: "",
      err: `revka: ${key} in ${config} begins in the folder that Revka is started in, which is another one for a service: write it whole\n`,
    });
    expect(ran()).toEqual([]);
  });

  test("nothing of a session_path that the Cloud API does not use", async () => {
    const cloud = 'phone_number_id = "1"\naccess_token = "tttt"\nverify_token = "vvvv"\n';
    const table = `[channels_config.whatsapp]\n${cloud}session_path = "session.db"\n`;
    writeFileSync(config, `[agent]\nkind = "echo"\n${table}`);
    expect((await install()).code).toBe(0);
  });

  test("the key of an encrypted config, where it is handed over itself", async () => {
    const key = join(config, "../.secret_key");
    writeFileSync(key, "07".repeat(32), { mode: 0o600 });
    const plain = readFileSync(config, "utf8");
    const words = ["install", "--dry-run", "--manager", "systemd", "--config", config];
    as(0);
    expect((await service(...words)).out).not.toContain("LoadCredential");
    program("id", "echo root");
    const { execPath } = process;
    process.execPath = "/bin/true";
    undo.push(() => (process.execPath = execPath));
    expect((await service(...words)).out).not.toContain(".secret_key");
    writeFileSync(config, `# enc2:\n${plain}`);
    expect((await service(...words)).out.match(/^LoadCredential=.*$/gm)).toEqual([
      `LoadCredential=revka-config:${config}`,
      `LoadCredential=.secret_key:${key}`,
    ]);
  });

  test("a config that does not load is told before, unless the service is only looked at", async () => {
    writeFileSync(config, "[gateway]\nport = 'x'\n");
    expect((await service("install", ...mine)).code).toBe(78);
    expect(ran()).toEqual([]);
    expect((await service("stop", ...mine)).code).toBe(0);
    rmSync(config);
    expect((await service("install", ...mine)).code).toBe(78);
    expect((await install()).code).toBe(0);
  });
});

test("what is done is shown first as it would be typed", async () => {
  env["HOME"] = join(home, "a b");
  expect((await service("uninstall", "--dry-run", ...mine)).out).toContain(
    `\n$ rm '${home}/a b/.config/systemd/user/revka.service'\n`,
  );
  env["HOME"] = join(home, "me");
  const { out } = await service("uninstall", "--dry-run", ...mine);
  expect(out).toBe(
    [
      "$ systemctl --user disable --now revka.service",
      `$ rm ${unit()}`,
      "$ systemctl --user daemon-reload",
      `# Config, messages and session stay in ${home}/me/.revka.`,
      "",
    ].join("\n"),
  );
  expect(ran()).toEqual([]);
});

test("a word that is no verb is wrong usage", async () => {
  const { code, err } = await service("remove", "--manager", "systemd");
  expect({ code, err }).toMatchObject({
    code: 2,
    err: expect.stringContaining('"remove" is none'),
  });
});
