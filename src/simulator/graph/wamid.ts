import { randomBytes } from "node:crypto";

/**
 * A new message id of Meta's form: `wamid.` and base64 of a small structure with the customer's number and random
 * hex digits. Not seeded: ids must stay unique over several simulators and restarts.
 */
export function newWamid(customer: string, direction: "in" | "out"): string {
  const random = randomBytes(10).toString("hex").toUpperCase();
  const bytes = Buffer.concat([
    Buffer.from([0x1c, 0x18, Math.min(customer.length, 255)]),
    Buffer.from(customer.slice(0, 32), "utf8"),
    Buffer.from([0x15, 0x02, 0x00, direction === "in" ? 0x12 : 0x11, 0x18, random.length]),
    Buffer.from(random, "ascii"),
    Buffer.from([0]),
  ]);
  return `wamid.${bytes.toString("base64")}`;
}
