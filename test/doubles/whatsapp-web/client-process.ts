/**
 * A bare client as a process that can be killed. It trusts the double through the preload:
 *
 *   REVKA_TEST_WA_ROOT=<root> bun --preload ./trust-double.ts client-process.ts <url>
 *
 * Each line it prints is an event: `{"qr"}`, `{"open"}`, `{"text"}`.
 */
import { BareClient, textOf } from "./bare-client.ts";
import { silenceLibsignal } from "./quiet.ts";

silenceLibsignal();
const url = process.argv[2] ?? "";
const client = new BareClient({ url });
const say = (event: object) => console.log(JSON.stringify(event));

client.connect();
say({ qr: await client.nextQr() });
await client.closed(30_000);
await client.login();
say({ open: client.creds.me?.id });
for (let seen = 0; ; seen++) {
  const upserts = await client.upserts.waitForCount(seen + 1, undefined, 600_000);
  const next = upserts[seen];
  if (next) say({ text: textOf(next.message) });
}
