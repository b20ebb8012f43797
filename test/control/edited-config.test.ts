import { expect, test } from "bun:test";
import { resolve } from "node:path";
import { editedConfig } from "../../src/control/edited-config.ts";

const folder = "/run/credentials/revka.service";
const handedOver = `${folder}/revka-config`;
const edited = "/etc/revka/config.toml";

test.each([
  ["handed over, and its file named", handedOver, { REVKA_CONFIG: edited }, edited],
  ["handed over by a unit that names none", handedOver, {}, handedOver],
  ["beside credentials, by --config", "/srv/c.toml", { REVKA_CONFIG: edited }, "/srv/c.toml"],
  ["relative", "c.toml", {}, resolve("c.toml")],
])("%s", (_, path, env, shown) => {
  expect(editedConfig(path, { CREDENTIALS_DIRECTORY: folder, ...env })).toBe(shown);
});

test("without credentials it is the file that was read", () => {
  expect(editedConfig("/srv/c.toml", { REVKA_CONFIG: edited })).toBe("/srv/c.toml");
});
