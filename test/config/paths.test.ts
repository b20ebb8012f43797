import { expect, test } from "bun:test";
import { join, resolve } from "node:path";
import { expandHome, resolvePaths, type Environment } from "../../src/config/paths.ts";

test.each<[name: string, flag: string | null, env: Environment, home: string, config: string]>([
  ["defaults", null, {}, "/home/ada/.revka", "/home/ada/.revka/config.toml"],
  ["REVKA_HOME", null, { REVKA_HOME: "/srv/revka" }, "/srv/revka", "/srv/revka/config.toml"],
  ["REVKA_HOME with ~", null, { REVKA_HOME: "~/r" }, "/home/ada/r", "/home/ada/r/config.toml"],
  [
    "a relative REVKA_HOME is made absolute",
    null,
    { REVKA_HOME: "./r/../revka" },
    join(process.cwd(), "revka"),
    join(process.cwd(), "revka/config.toml"),
  ],
  [
    "REVKA_CONFIG",
    null,
    { REVKA_CONFIG: "/etc/revka.toml" },
    "/home/ada/.revka",
    "/etc/revka.toml",
  ],
  [
    "--config wins",
    "~/c.toml",
    { REVKA_CONFIG: "/etc/r.toml" },
    "/home/ada/.revka",
    "/home/ada/c.toml",
  ],
  [
    "blank is unset",
    "",
    { REVKA_HOME: "", REVKA_CONFIG: "" },
    "/home/ada/.revka",
    "/home/ada/.revka/config.toml",
  ],
])("%s", (_name, flag, env, home, config) => {
  expect(resolvePaths(flag, env, "/home/ada")).toEqual({
    home,
    config,
    store: `${home}/revka.db`,
    socket: `${home}/revka.sock`,
    media: `${home}/media`,
  });
});

test.each([
  ["~", "/home/ada"],
  ["~/a b", "/home/ada/a b"],
  ["~bob/a", "~bob/a"],
  ["/a/~", "/a/~"],
  ["a", "a"],
])("%s", (path, expanded) => expect(expandHome(path, "/home/ada")).toBe(expanded));

test.each([
  "/srv/revka",
  "/srv/.revka/...",
  "/srv//revka",
  "/srv/./revka",
  "/srv/../revka",
  "/srv/revka/",
  "/srv/revka/.",
  "/srv/revka/..",
  "/",
  "//srv",
  "revka",
  "./revka",
  "..",
])("%s is made absolute and joined as node:path does", (path) => {
  const { home, store, config } = resolvePaths(null, { REVKA_HOME: path }, "/home/ada");
  expect(home).toBe(resolve(path));
  expect([store, config]).toEqual([join(home, "revka.db"), join(home, "config.toml")]);
  expect(expandHome(`~/${path}`, "/home/ada")).toBe(join("/home/ada", path));
});
