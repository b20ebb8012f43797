import { readFileSync } from "node:fs";
import { createWatiSimulator } from "../../src/simulator/wati.ts";
import { newWamid, newWatiId } from "../../src/simulator/wati/events.ts";
import { Recording } from "./recording.ts";

/** From `init` to an answered message, with the stand-in for WATI. */
export async function watiTranscript(): Promise<string> {
  const wati = createWatiSimulator({ token: "wati-simulated-token" });
  await wati.start();
  const you = new Recording();
  try {
    you.file("token.txt", wati.token);
    you.hide(wati.url, "https://live-mt-server.wati.io");
    await you.revka(
      "init",
      "--channel",
      "wati",
      "--api-token",
      "@token.txt",
      "--allow",
      "+15550001111",
      "--agent",
      "echo",
    );
    const { webhookSecret } = await lead(you, wati.url);
    await you.revka("doctor");
    await you.daemon("revka is running");
    you.note("A customer writes.");
    wati.webhook.url = `http://127.0.0.1:${you.port}/wati?secret=${webhookSecret}`;
    await wati.sendText("15550001111", "Do you open on Sundays?", {
      id: newWatiId(),
      wamid: newWamid(),
    });
    await wati.waitForSends({ to: "15550001111", count: 1, timeoutMs: 10_000 });
    await you.log("delivery sent");
    await you.revka("status");
    await you.interrupt();
    return you.text();
  } finally {
    you.end();
    await wati.close();
  }
}

/** `init` names WATI's own address: here it becomes the stand-in's. */
async function lead(you: Recording, url: string): Promise<{ webhookSecret: string }> {
  await you.retarget("channels_config.wati");
  const text = readFileSync(you.config, "utf8");
  you.file(".revka/config.toml", text.replace("https://live-mt-server.wati.io", url));
  return { webhookSecret: /^webhook_secret = "(.+)"$/m.exec(text)?.[1] ?? "" };
}
