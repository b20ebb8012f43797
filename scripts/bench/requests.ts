import { createHash, createHmac } from "node:crypto";
import { closeSync, openSync, writeSync } from "node:fs";
import { envelope, inboundMessage, type Business } from "../../src/simulator/graph/bodies.ts";

/** The made-up account that every bench uses. */
export const account = {
  accessToken: "bench-access-token",
  appSecret: "bench-app-secret",
  verifyToken: "bench-verify-token",
  phoneNumberId: "106540352242922",
};

const business: Business = {
  businessAccountId: "102290129340398",
  phoneNumberId: account.phoneNumberId,
  displayPhoneNumber: "15550783881",
};

/** One customer's text as Meta sends it. `index` makes it the only one of its kind, `chats` is how many people write. */
export function webhookBody(index: number, chats: number, now: number): string {
  const phone = `1555${String(1_000_000 + (index % chats))}`;
  const serial = String(index).padStart(9, "0");
  const { message, contact } = inboundMessage(
    {
      from: { phone, name: "Ada Lovelace" },
      // Random as Meta's are: ids that rise would spare the index.
      id: `wamid.HBgLMTU1NTAwMDExMTEVAgASGBQz${createHash("sha256").update(serial).digest("hex").slice(0, 20)}AA==`,
      content: { type: "text", text: { body: `Is the blue one still there? ${serial}` } },
    },
    business,
    now,
  );
  return JSON.stringify(envelope(business, { contacts: [contact], messages: [message] }));
}

/** `X-Hub-Signature-256` of a body. */
export function signatureOf(body: string): string {
  return `sha256=${createHmac("sha256", account.appSecret).update(body).digest("hex")}`;
}

export interface RequestFile {
  path: string;
  /** Bytes of each request; all have the same. */
  size: number;
  count: number;
}

/** Writes `count` whole HTTP requests with signed, distinct bodies, one behind the other. */
export function writeRequests(path: string, count: number, chats: number): RequestFile {
  const file = openSync(path, "w", 0o600);
  const now = Date.now();
  let size = 0;
  for (let from = 0; from < count; from += 5_000) {
    const requests: string[] = [];
    for (let index = from; index < Math.min(count, from + 5_000); index++) {
      const body = webhookBody(index, chats, now);
      const request = `POST /whatsapp HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\nX-Hub-Signature-256: ${signatureOf(body)}\r\nContent-Length: ${body.length}\r\n\r\n${body}`;
      if (size !== 0 && request.length !== size) throw new Error("requests differ in length");
      size = request.length;
      requests.push(request);
    }
    writeSync(file, requests.join(""));
  }
  closeSync(file);
  return { path, size, count };
}
