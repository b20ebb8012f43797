import { readFileSync } from "node:fs";
import { startGraphSimulator } from "../../src/simulator/graph.ts";
import { content } from "../../src/simulator/graph/content.ts";
import { Recording } from "./recording.ts";

/** From `init` to an answered message, with the stand-in for the Graph API. */
export async function cloudTranscript(): Promise<string> {
  const graph = await startGraphSimulator();
  const you = new Recording();
  try {
    const { account } = graph;
    you.file("token.txt", account.accessToken);
    you.file("secret.txt", account.appSecret);
    you.hide(graph.url, "https://graph.facebook.com");
    await you.revka(
      "init",
      "--channel",
      "cloud",
      "--phone-number-id",
      account.phoneNumberId ?? "",
      "--access-token",
      "@token.txt",
      "--app-secret",
      "@secret.txt",
      "--allow",
      "+15550001111",
      "--agent",
      "echo",
    );
    await you.retarget("channels_config.whatsapp", `api_base_url = "${graph.url}"`);
    await you.revka("doctor");
    await you.daemon("revka is running");
    you.note("Meta asks for the handshake, and a customer writes.");
    graph.account.verifyToken =
      /^verify_token = "(.+)"$/m.exec(readFileSync(you.config, "utf8"))?.[1] ?? "";
    graph.settings.webhooks.url = `http://127.0.0.1:${you.port}/whatsapp`;
    const { verified } = await graph.handshake();
    if (!verified) throw new Error("the handshake was refused");
    const customer = { phone: "15550001111", name: "Ada" };
    graph.write({ from: customer, content: content.text("Do you open on Sundays?") });
    await graph.waitForSends({ to: customer.phone, count: 1, timeoutMs: 10_000 });
    await you.log("delivery sent");
    await you.revka("status");
    await you.interrupt();
    return you.text();
  } finally {
    you.end();
    await graph.stop();
  }
}
