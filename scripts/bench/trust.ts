import { trustRoot } from "../../test/doubles/whatsapp-web/certificate.ts";

/** Makes Baileys trust the stand-in for WhatsApp whose root key the environment holds. For programs of the bench alone. */
export function trustDoubleOfEnvironment(): void {
  trustRoot(Buffer.from(process.env["REVKA_TEST_WA_ROOT"] ?? "", "hex"));
}
