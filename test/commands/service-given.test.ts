import { describe, expect, test } from "bun:test";
import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import {
  as,
  config,
  env,
  home,
  mine,
  program,
  ran,
  service,
  undo,
  useServiceManagers,
} from "../support/service.ts";

useServiceManagers();

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
