// The least a WhatsApp Web echo bot can do: a bare Baileys socket, session in memory, each text sent back. Address of
// the socket on argv. Prints its QR payload, then "open".
import { trustDoubleOfEnvironment } from "../trust.ts";
import { BareClient, textOf } from "../../../test/doubles/whatsapp-web/bare-client.ts";
import { silenceLibsignal } from "../../../test/doubles/whatsapp-web/quiet.ts";

trustDoubleOfEnvironment();
silenceLibsignal();
void main();

async function main(): Promise<void> {
  const client = new BareClient({ url: process.argv[2] ?? "" });
  client.connect();
  console.log(await client.nextQr());
  await client.closed(30_000);
  const socket = await client.login();
  socket.ev.on("messages.upsert", ({ messages }) => {
    for (const message of messages) {
      const text = textOf(message);
      if (text && !message.key.fromMe && message.key.remoteJid) {
        void client.sendText(message.key.remoteJid, text);
      }
    }
  });
  console.log("open");
}
