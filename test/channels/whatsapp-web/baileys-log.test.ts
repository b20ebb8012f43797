import { expect, test } from "bun:test";
import { baileysLog } from "../../../src/channels/whatsapp-web/baileys-log.ts";
import { type Logger, silentLog } from "../../../src/telemetry/log.ts";

test("what Baileys logs passes without numbers, addresses or keys", () => {
  const lines: string[] = [];
  const debug: Logger["debug"] = (fields, message) => lines.push(JSON.stringify([fields, message]));
  const log = baileysLog({ ...silentLog, debug });
  log.warn(
    {
      key: { remoteJid: "491700000001@s.whatsapp.net" },
      error: new Error("no 491700000001:3@lid"),
    },
    "failed for 491700000001@s.whatsapp.net with YWJjZGVmZ2hpamtsbW5vcHFyc3R1dnd4eXo=",
  );
  log.info({ node: "491700000001" }, "not passed at all");
  expect(lines).toHaveLength(1);
  expect(lines[0]).not.toMatch(/49170|YWJj/);
  expect(lines[0]).toContain("failed for");
});
