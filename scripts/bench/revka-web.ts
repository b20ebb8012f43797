// Revka's whatsapp-web variant, which trusts the stand-in for WhatsApp; the real one trusts WhatsApp alone.
import { trustDoubleOfEnvironment } from "./trust.ts";

trustDoubleOfEnvironment();
void import("../../src/main.ts");
