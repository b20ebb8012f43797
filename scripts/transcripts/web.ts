import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { controlClient } from "../../src/control/client.ts";
import type { Phone } from "../../test/doubles/whatsapp-web/phone.ts";
import { startDouble } from "../../test/doubles/whatsapp-web/server.ts";
import { Recording } from "./recording.ts";

const trust = fileURLToPath(
  new URL("../../test/doubles/whatsapp-web/trust-double.ts", import.meta.url),
);

/** From `init` over the link by QR or code to an answered message, with the stand-in for WhatsApp Web's server. */
export async function webTranscript(by: "qr" | "code"): Promise<string> {
  const wa = await startDouble();
  const owner = wa.addPhone({ number: "15550001000", name: "Owner" });
  const ada = wa.addPhone({ number: "15550001111", name: "Ada" });
  const you = new Recording({ REVKA_TEST_WA_ROOT: wa.rootHex, NODE_TLS_REJECT_UNAUTHORIZED: "0" }, [
    "--preload",
    trust,
  ]);
  try {
    you.hide(new URL(wa.url).host, "web.whatsapp.com");
    const number = by === "code" ? ["--pair-phone", "15550001000"] : [];
    await you.revka(
      "init",
      "--channel",
      "web",
      ...number,
      "--allow",
      "+15550001111",
      "--agent",
      "echo",
    );
    await you.retarget("channels_config.whatsapp", `ws_url = "${wa.url}"`);
    if (by === "qr") await you.revka("doctor");
    await you.daemon("revka is running");
    await link(you, owner);
    await you.log("WhatsApp Web is connected");
    ada.send(owner, "Do you open on Sundays?");
    await ada.waitForMessage("Do you open on Sundays?", 10_000);
    await you.log("delivery sent");
    await you.revka("status");
    await you.interrupt();
    return you.text();
  } finally {
    you.end();
    await wa.stop();
  }
}

/** What the person does with the phone: scans the code, or types it. */
async function link(you: Recording, owner: Phone): Promise<void> {
  const daemon = controlClient(join(you.home, ".revka/revka.sock"));
  for (let tries = 0; tries < 200; tries++) {
    const code = (await daemon.status()).channels[0]?.linking;
    if (code?.qr) return void (await owner.scanQr(code.qr));
    if (code?.pair_code) return void (await owner.enterCode(code.pair_code));
    await pause(50);
  }
  throw new Error("no code was shown");
}
