import type { Directory } from "./account.ts";
import { bundleNodes } from "./prekeys.ts";
import type { PhoneDevice } from "./phone-device.ts";
import { type BinaryNode, now, stanza } from "./stanza.ts";

/** Tells every linked client that an account has one more device. */
export function announceDevice(directory: Directory, device: PhoneDevice): void {
  const { account, id } = device;
  const added = stanza("device", { jid: account.jid(id), "key-index": id });
  tellAll(directory, device, "devices", stanza("add", { device_hash: `2:${now()}` }, [added]));
}

/** Tells every linked client that a phone was set up anew: its identity key is another one. */
export function announceIdentity(directory: Directory, device: PhoneDevice): void {
  const identity = bundleNodes(device.signal.newBundle()).find(({ tag }) => tag === "identity");
  if (identity) tellAll(directory, device, "encrypt", identity);
}

let announced = 0;

function tellAll(directory: Directory, device: PhoneDevice, type: string, what: BinaryNode): void {
  for (const companion of directory.companions()) {
    const id = `${type}-${++announced}`;
    companion.deliver(
      stanza("notification", { from: device.account.jid(), type, id, t: now() }, [what]),
    );
  }
}
