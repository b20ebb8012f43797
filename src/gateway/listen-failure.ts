import type { GatewayConfig } from "../config/schema.ts";
import { errorCode } from "../runtime/error-code.ts";

/** Why the port could not be opened, and what to do. */
export function listenFailure(error: unknown, config: GatewayConfig): Error {
  return new Error(whyNot(error, config));
}

function whyNot(error: unknown, config: GatewayConfig): string {
  const place = `${config.host}:${config.port}`;
  const code = errorCode(error);
  const message = error instanceof Error ? error.message : String(error);
  if (code === "EADDRINUSE") {
    return `cannot listen on ${place}: the port is in use. Is another Revka running? Stop it, or set [gateway] port.`;
  }
  if (code === "EACCES") {
    return `cannot listen on ${place}: not permitted. Ports under 1024 need a privilege; set [gateway] port.`;
  }
  // Of a name that leads nowhere Bun tells whatever error came last.
  if (["EADDRNOTAVAIL", "EAGAIN", "ENOENT", "ENOTFOUND"].includes(String(code))) {
    return `cannot listen on ${place}: this machine has no such address. Set [gateway] host to one of its own.`;
  }
  return `cannot listen on ${place}: ${message}. Check [gateway] host and port.`;
}
