import * as v from "valibot";
import { configSchema } from "../../src/config/schema.ts";
import { createNetwork, type Network } from "../../src/net/fetch.ts";
import { networkErrorCode } from "../../src/net/network-error.ts";
import { silentLog } from "../../src/telemetry/log.ts";
import { testCertificate } from "./certificate.ts";
import { closing } from "./closing.ts";

/** Networks that trust the tests' certificate, closed after each test. To be called once, where a file's tests begin. */
export function networkTrial() {
  const keep = closing();
  return {
    keep,
    /** With this proxy for WhatsApp, and none for WATI. */
    network(
      proxyUrl: string | undefined,
      extra: { env?: Record<string, string>; resolve?: () => Promise<string> } = {},
    ): Network {
      return keep(
        createNetwork({
          config: v.parse(configSchema, {
            channels_config: { whatsapp: { proxy_url: proxyUrl }, wati: {} },
          }),
          env: extra.env ?? {},
          log: silentLog,
          ca: [testCertificate.cert],
          resolve: extra.resolve ?? (async () => "127.0.0.1"),
        }),
      );
    },
  };
}

/** The code of the error that a request ends in, or "none". */
export async function failure(promise: Promise<unknown>): Promise<string> {
  try {
    await promise;
  } catch (error) {
    return networkErrorCode(error);
  }
  return "none";
}
