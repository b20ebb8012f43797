import { BareClient } from "./bare-client.ts";
import type { Phone } from "./phone.ts";
import { silenceLibsignal } from "./quiet.ts";
import { type DoubleOptions, type WhatsAppDouble, startDouble } from "./server.ts";

silenceLibsignal();

/** A double with the owner's phone, two contacts, and a client linked to the owner and logged in. */
export interface Fixture {
  wa: WhatsAppDouble;
  owner: Phone;
  ada: Phone;
  bob: Phone;
  client: BareClient;
  stop(): Promise<void>;
}

/** Sets it up; `linked: false` leaves the client unlinked. */
export async function fixture(
  options: DoubleOptions & {
    linked?: boolean;
    config?: ConstructorParameters<typeof BareClient>[1];
  } = {},
): Promise<Fixture> {
  const { linked = true, config = {}, ...rest } = options;
  const wa = await startDouble(rest);
  const owner = wa.addPhone({ number: "15550001000", name: "Owner" });
  const ada = wa.addPhone({ number: "491700000001", name: "Ada" });
  const bob = wa.addPhone({ number: "447700900002", name: "Bob" });
  const client = new BareClient(wa, config);
  if (linked) await link(client, owner);
  const stop = async () => {
    await client.close();
    await wa.stop();
  };
  return { wa, owner, ada, bob, client, stop };
}

/** Links by QR, waits for the restart the server asks for, and logs in. */
export async function link(client: BareClient, owner: Phone): Promise<void> {
  client.connect();
  await owner.scanQr(await client.nextQr());
  await client.closed();
  await client.login();
}

/**
 * The error a promise ends with. Not `expect(…).rejects`: Bun runs the event loop inside it, and a
 * socket of the same process then reads its frames out of order.
 */
export async function failure(promise: Promise<unknown>): Promise<string> {
  try {
    await promise;
  } catch (error) {
    return String(error);
  }
  return "no failure";
}
