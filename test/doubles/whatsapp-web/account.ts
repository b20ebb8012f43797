import { jidDecode, jidEncode } from "@whiskeysockets/baileys";
import type { Companion } from "./companion.ts";
import type { PhoneDevice } from "./phone-device.ts";

export type Addressing = "pn" | "lid";

/** One WhatsApp account: a phone number, a LID, simulated devices and linked clients. */
export class Account {
  /** simulated devices; 0 is the phone itself */
  readonly devices = new Map<number, PhoneDevice>();
  /** linked clients under test */
  readonly companions = new Map<number, Companion>();
  /** whether lookups of the phone number name the LID */
  lidDisclosed = true;
  private nextDevice = 1;

  constructor(
    readonly number: string,
    readonly lid: string,
    public name: string,
  ) {}

  jid(device = 0): string {
    return jidEncode(this.number, "s.whatsapp.net", device);
  }

  lidJid(device = 0): string {
    return jidEncode(this.lid, "lid", device);
  }

  address(addressing: Addressing, device = 0): string {
    return addressing === "lid" ? this.lidJid(device) : this.jid(device);
  }

  newDeviceId(): number {
    return this.nextDevice++;
  }

  deviceIds(): number[] {
    return [...this.devices.keys(), ...this.companions.keys()].sort((a, b) => a - b);
  }
}

/** All accounts, found by either address. */
export class Directory {
  private readonly byNumber = new Map<string, Account>();
  private readonly byLid = new Map<string, Account>();

  add(account: Account): void {
    if (this.byNumber.has(account.number)) throw new Error(`${account.number} exists already`);
    this.byNumber.set(account.number, account);
    this.byLid.set(account.lid, account);
  }

  accounts(): Account[] {
    return [...this.byNumber.values()];
  }

  companions(): Companion[] {
    return this.accounts().flatMap((account) => [...account.companions.values()]);
  }

  find(jid: string): Account | undefined {
    const decoded = jidDecode(jid);
    if (!decoded) return undefined;
    const index = decoded.server === "lid" ? this.byLid : this.byNumber;
    return index.get(decoded.user);
  }
}

export function deviceOf(jid: string): number {
  return jidDecode(jid)?.device ?? 0;
}
