import { expect, test } from "bun:test";
import { configElsewhere, instead } from "../../src/commands/elsewhere.ts";

const root = { HOME: "/root" };
const sudo = { ...root, SUDO_USER: "ada" };
const ada = "/home/ada/.revka/config.toml";
const service = "/etc/revka/config.toml";
const without = `${ada} is there: run this without sudo`;
const asService = `for the service that has ${service}: sudo REVKA_HOME=/var/lib/revka revka … --config ${service}`;

test.each<[Record<string, string>, string[], string | null]>([
  [sudo, [ada], without],
  [sudo, [ada, service], without],
  [sudo, [service], asService],
  [root, [service], asService],
  [root, [ada], null],
  [sudo, [], null],
  [{ ...root, SUDO_USER: "root" }, ["/root/.revka/config.toml"], null],
  [{ ...root, SUDO_USER: "gone" }, [ada], null],
  [{ ...sudo, REVKA_HOME: "/srv" }, [ada, service], null],
  [{ ...sudo, REVKA_CONFIG: "/srv/c.toml" }, [ada, service], null],
  [sudo, ["/root/.revka/config.toml", ada, service], null],
])("%p, where %p exists: %p", (env, files, sentence) => {
  const exists = (path: string) => files.includes(path);
  const homeOf = (name: string) => (name === "gone" ? null : `/home/${name}`);
  const look = { exists, homeOf };
  expect(configElsewhere({ configFile: undefined, env }, look)).toBe(sentence);
  expect(configElsewhere({ configFile: "c.toml", env }, look)).toBeNull();
});

test.each([
  ["/root/.revka/config.toml", null, without],
  ["/root/.revka/config.toml", 3, null],
  ["/etc/revka/config.toml", null, null],
])("a problem of %s at line %p is told with %p", (file, line, sentence) => {
  const exists = (path: string) => path === ada;
  const problem = { file, line, key: null, message: "no such file" };
  const look = { exists, homeOf: () => "/home/ada" };
  expect(instead([problem], sudo, look)).toBe(sentence);
});
