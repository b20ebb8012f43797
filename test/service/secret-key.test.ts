import { expect, test } from "bun:test";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { secretKeyCredential } from "../../src/service/secret-key.ts";
import { temporaryFolder } from "../support/store.ts";

test.each([
  ['api_key = "enc2:00ff"', true, [".secret_key"]],
  ['api_key = "enc:00ff"', true, [".secret_key"]],
  ['api_key = "enc2:00ff"', false, []],
  ['api_key = "plain"', true, []],
])("%s, its key there: %p, hands over %p", (text, there, names) => {
  const folder = temporaryFolder();
  const config = join(folder.path, "config.toml");
  writeFileSync(config, text);
  if (there) writeFileSync(join(folder.path, ".secret_key"), "00");
  const expected = names.map((name) => ({ name, file: join(folder.path, name) }));
  expect(secretKeyCredential(config)).toEqual(expected);
  folder.remove();
});
