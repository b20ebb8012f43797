import { type BinaryNode, getBinaryNodeChild } from "@whiskeysockets/baileys";
import { type Mappings, type Self, senderOf } from "./identity.ts";
import { userOf } from "./jid.ts";

/**
 * Of whom a notification says that their devices are others now: number and LID, as the devices are remembered under
 * either. Baileys goes by the address that the notification names them with (`messages-recv.js`,
 * handleDevicesNotification), which is the number, and does not hear of the account's own devices at all.
 */
export function changedDevices(node: BinaryNode, self: Self, mappings: Mappings): string[] {
  const { type, from, lid } = node.attrs;
  const own = type === "account_sync" && getBinaryNodeChild(node, "devices") !== undefined;
  if (type !== "devices" && !own) return [];
  const whose = own ? self : senderOf([from, lid], mappings);
  return [whose.phone?.slice(1), userOf(whose.lid)].filter((user) => typeof user === "string");
}
