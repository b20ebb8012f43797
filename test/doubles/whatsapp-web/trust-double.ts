/**
 * Preload for a client in another process: `REVKA_TEST_WA_ROOT=<hex> bun --preload trust-double.ts …`.
 * It replaces the root key Baileys trusts; the product itself knows nothing of it.
 */
import { trustRoot } from "./certificate.ts";

const root = process.env.REVKA_TEST_WA_ROOT;
if (!root || !/^[0-9a-f]{64}$/i.test(root)) {
  throw new Error("REVKA_TEST_WA_ROOT must hold the double's root key, 64 hex digits");
}
trustRoot(Buffer.from(root, "hex"));
