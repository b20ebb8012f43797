import { afterAll, expect, test } from "bun:test";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseWebhook } from "../../src/channels/whatsapp-cloud/payload.ts";
import { signatureMatches } from "../../src/channels/whatsapp-cloud/signature.ts";
import { account, writeRequests } from "../../scripts/bench/requests.ts";

const folder = mkdtempSync(join(tmpdir(), "revka-bench-test-"));
afterAll(() => rmSync(folder, { recursive: true }));

test("every request of the file is signed, of one length, and a message of its own", () => {
  const { path, size, count } = writeRequests(join(folder, "requests"), 30, 7);
  const bytes = readFileSync(path);
  expect(bytes.length).toBe(size * count);
  const ids = new Set<string>();
  const senders = new Set<string | null>();
  for (let index = 0; index < count; index++) {
    const [head = "", body = ""] = bytes
      .subarray(index * size, (index + 1) * size)
      .toString()
      .split("\r\n\r\n");
    const signature = /X-Hub-Signature-256: (.*)/.exec(head)?.[1];
    expect(signatureMatches(signature, Buffer.from(body), account.appSecret)).toBe(true);
    const [event] = parseWebhook(JSON.parse(body), account.phoneNumberId, 0);
    if (event?.kind !== "message") throw new Error("no message");
    ids.add(event.message.id);
    senders.add(event.message.sender.phone);
  }
  expect(ids.size).toBe(30);
  expect(senders.size).toBe(7);
});
