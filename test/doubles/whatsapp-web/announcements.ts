import type { Account, Directory } from "./account.ts";
import type { Companion } from "./companion.ts";
import { bundleNodes } from "./prekeys.ts";
import type { PhoneDevice } from "./phone-device.ts";
import { type BinaryNode, now, stanza } from "./stanza.ts";

/** Tells every linked client that an account has one more device; the account's own hear of all it has. */
export function announceDevice(directory: Directory, device: PhoneDevice): void {
  const { account, id } = device;
  const added = stanza("device", {
    jid: account.jid(id),
    lid: account.lidJid(id),
    "key-index": id,
  });
  tellAll(directory, device, (companion) =>
    companion.account === account
      ? ["account_sync", ownDevices(account)]
      : ["devices", stanza("add", { device_hash: `2:${now()}` }, [added])],
  );
}

function ownDevices(account: Account): BinaryNode {
  const all = account.deviceIds().map((id) => stanza("device", { jid: account.jid(id) }));
  return stanza("devices", { dhash: `2:${now()}` }, all);
}

/** Tells every linked client that a phone was set up anew: its identity key is another one. */
export function announceIdentity(directory: Directory, device: PhoneDevice): void {
  const identity = bundleNodes(device.signal.newBundle()).find(({ tag }) => tag === "identity");
  if (identity) tellAll(directory, device, () => ["encrypt", identity]);
}

let announced = 0;

function tellAll(
  directory: Directory,
  { account }: PhoneDevice,
  say: (companion: Companion) => [type: string, what: BinaryNode],
): void {
  for (const companion of directory.companions()) {
    const [type, what] = say(companion);
    const id = `${type}-${++announced}`;
    const attrs = { from: account.jid(), lid: account.lidJid(), type, id, t: now() };
    companion.deliver(stanza("notification", attrs, [what]));
  }
}
