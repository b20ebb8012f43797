import { expect, test } from "bun:test";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { startedWith } from "../../src/service/installed.ts";
import { temporaryFolder } from "../support/store.ts";

const config = "/etc/revka/config.toml";
const direct = `ExecStart=/usr/local/bin/revka daemon --config ${config}\n`;
const handedOver = `LoadCredential=revka-config:${config}\n`;
const secret = "LoadCredential=revka-api-key:/etc/revka/credentials/revka-api-key\n";

test.each([
  [direct, { credentials: null }],
  [handedOver, { credentials: null }],
  [handedOver + secret, { credentials: "/etc/revka/credentials" }],
  ["ExecStart=/usr/local/bin/revka daemon --config /srv/c.toml\n", null],
  [`ExecStart=/usr/local/bin/revka daemon --config ${config}.old\n`, null],
])("of the unit %p is known %p", (text, known) => {
  const folder = temporaryFolder();
  const unit = join(folder.path, "revka.service");
  expect(startedWith(unit, config)).toBeNull();
  writeFileSync(unit, text);
  expect(startedWith(unit, config)).toEqual(known);
  mkdirSync(`${unit}.d`);
  expect(startedWith(unit, config)).toBeNull();
  folder.remove();
});
