import { afterAll, describe, expect, test } from "bun:test";
import { outlineOf, type Outline } from "../../src/config/outline.ts";
import { configSchema } from "../../src/config/schema.ts";
import { cloud, complaints, load, warnings, removeFolder } from "./support.ts";

afterAll(removeFolder);

describe("secrets", () => {
  const marker = "sEcReT-0123456789";

  /** Every leaf of the file, filled with a secret in every wrong and right shape. */
  const shapes = [`"${marker}"`, `["${marker}"]`, `{ "x" = "${marker}" }`, `[{ x = "${marker}" }]`];

  const leaves = (outline: Outline, path: string): string[] =>
    outline.kind === "table"
      ? [...outline.keys.keys()].flatMap((key) => {
          const part = outline.keys.get(key);
          if (!part) throw new Error(`no outline of ${key}`);
          return [
            ...(part.kind === "table" ? [`${path}${key}`] : []),
            ...leaves(part, `${path}${key}.`),
          ];
        })
      : [path.slice(0, -1)];

  test("are in no problem and no warning, wherever they were put", () => {
    const keys = leaves(outlineOf(configSchema), "");
    expect(keys.length).toBeGreaterThan(80);
    for (const key of keys) {
      for (const shape of shapes) {
        const toml = `${key} = ${shape}\n`;
        let said = complaints(toml).join("\n");
        if (said === "") said = warnings(toml).join("\n");
        expect(said).not.toContain(marker);
      }
    }
  });

  test("are in no complaint about TOML itself", () => {
    for (const toml of [
      `access_token = ${marker}`,
      `access_token = "${marker}`,
      `access_token = "${marker}\\q"`,
      `"${marker}"`,
      `x = 2026-01-01T${marker}`,
      `x = [ ${marker} ]`,
    ]) {
      const said = complaints(toml);
      expect(said).toHaveLength(1);
      expect(said[0]).not.toContain(marker);
    }
  });

  test("are the passwords of proxies, not where they are: who mends one has to read that", () => {
    const proxied = (address: string) =>
      load(`${cloud}[proxy]\nenabled = true\nall_proxy = "${address}"\n`).secrets;
    const listed = (address: string) => proxied(address).filter((it) => !/tttt|vvvv/.test(it));
    expect(listed("http://proxy.example:3128")).toEqual([]);
    expect(listed("http://ada:pass-word@proxy.example:3128")).toEqual(["pass-word"]);
  });

  test("are listed for the log: keys, passwords in addresses, the environment, URL forms", () => {
    const { secrets } = load(
      `${cloud.replace("tttt", "tok/en")}proxy_url = "socks5://user:p%40ssword@127.0.0.1:1"\n[transcription.openai]\napi_key = "key-in-table"\n`,
      {
        env: {
          OPENAI_API_KEY: "key-in-env",
          HTTPS_PROXY: "http://u:pw-in-env@h",
          PATH: "/bin",
          GH_TOKEN: "",
        },
      },
    );
    expect(secrets.toSorted()).toEqual(
      [
        "tok/en",
        "tok%2Fen",
        "vvvv",
        "p@ssword",
        "p%40ssword",
        "key-in-table",
        "key-in-env",
        "pw-in-env",
      ].toSorted(),
    );
  });

  test.each([
    ["OPENAI_API_KEY", true],
    ["REVKA_SESSION_KEY", true],
    ["GITHUB_TOKEN", true],
    ["github_token", true],
    ["CLIENT_SECRET", true],
    ["MAIL_PASSWORD", true],
    ["GITHUB_TOKEN_FILE", false],
    ["HISTCONTROL", false],
    ["SSH_AUTHTOKEN", false],
  ])("are what the variable %s holds: %p", (name, expected) => {
    const { secrets } = load(cloud, { env: { [name]: "qqqqqq" } });
    expect(secrets.includes("qqqqqq")).toBe(expected);
  });

  test.each(["HTTPS_PROXY", "all_proxy"])("are the password in the address of %s", (name) => {
    const { secrets } = load(cloud, { env: { [name]: "http://ada:qqqqqq@proxy.example" } });
    expect(secrets).toContain("qqqqqq");
    expect(secrets.filter((it) => it.includes("proxy.example"))).toEqual([]);
  });

  test("are the password in an address that a command is given", () => {
    const { secrets } = load(
      '[agent]\nkind = "command"\ncommand = ["agent", "--db", "postgres://ada:qqqqqq@db.example/a"]\n',
    );
    expect(secrets).toEqual(["qqqqqq"]);
  });
});
