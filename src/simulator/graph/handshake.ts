import { randomInt } from "node:crypto";
import { request } from "node:http";

export interface Handshake {
  status: number;
  body: string;
  /** 200 and the challenge came back: Meta would take the callback URL. */
  verified: boolean;
}

/** Meta's verification of a callback URL: `hub.mode`, `hub.verify_token`, `hub.challenge`. Rejects without an answer. */
export async function handshake(url: string, verifyToken: string): Promise<Handshake> {
  const challenge = String(randomInt(10 ** 8, 10 ** 9));
  const target = new URL(url);
  target.searchParams.set("hub.mode", "subscribe");
  target.searchParams.set("hub.verify_token", verifyToken);
  target.searchParams.set("hub.challenge", challenge);
  const { status, body } = await get(target);
  return { status, body, verified: status === 200 && body === challenge };
}

function get(url: URL): Promise<{ status: number; body: string }> {
  return new Promise((resolve, reject) => {
    const asking = request(url, { method: "GET", agent: false }, (answer) => {
      let body = "";
      answer.setEncoding("utf8");
      answer.on("data", (part: string) => (body += part));
      answer.on("end", () => resolve({ status: answer.statusCode ?? 0, body }));
      answer.on("error", reject);
    });
    asking.on("error", reject);
    asking.end();
  });
}
