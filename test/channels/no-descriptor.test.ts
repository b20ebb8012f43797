import { expect, test } from "bun:test";
import { join } from "node:path";

const root = join(import.meta.dir, "../..");

// In a process of its own, which may open few files and has them all open.
const script = `
const { openSync } = await import("node:fs");
const { sendDelivery } = await import("${root}/src/channels/wati/client.ts");
const { uploadMedia } = await import("${root}/src/channels/whatsapp-cloud/media-upload.ts");
const file = { media: "document", path: "${import.meta.path}", mimeType: "text/plain" };
const content = { kind: "media", ...file, filename: null, caption: null, durationSecs: null };
const recipient = { kind: "direct", phone: "+15550001111", userId: null, lid: null };
const endpoint = { prefix: null };
const never = new AbortController().signal;
const tries = () => Promise.all([
  sendDelivery({ endpoint }, { id: "a", chat: 1, recipient, content }, never),
  uploadMedia({ call: async () => ({ ok: true, value: { id: "m" } }) }, "1", file, never),
]);
await tries().catch(() => {});
try { for (;;) openSync("/dev/null"); } catch {}
console.log(JSON.stringify((await tries()).map(({ failure }) => [failure?.retry, failure?.code])));
process.exit(0);
`;

test("a file that cannot be opened just now, as no file can, is not taken for gone", async () => {
  const limited = ["sh", "-c", 'ulimit -n 100; exec "$@"', "sh", process.execPath, "-e", script];
  const child = Bun.spawn(limited, { stdout: "pipe", stderr: "pipe" });
  const said = await new Response(child.stdout).text();
  expect(said.trim() || (await new Response(child.stderr).text())).toBe(
    JSON.stringify([
      ["unsent", "EMFILE"],
      ["unsent", "EMFILE"],
    ]),
  );
});
