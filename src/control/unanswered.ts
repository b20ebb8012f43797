import { accessSync, constants, statSync } from "node:fs";
import { networkErrorCode } from "../net/network-error.ts";
import { errorCode } from "../runtime/error-code.ts";
import { ControlError, DaemonNotRunning, SocketUnusable } from "./api.ts";

/** Why no answer came from the control socket. `cause` is what the request failed with. */
export function whyUnanswered(socketPath: string, cause: unknown): Error {
  try {
    if (!statSync(socketPath).isSocket()) {
      return new SocketUnusable(
        `${socketPath} is no socket: move it away, then restart the daemon`,
      );
    }
    accessSync(socketPath, constants.R_OK | constants.W_OK);
  } catch (error) {
    const refused = errorCode(error);
    if (refused === "EACCES" || refused === "EPERM") {
      return new SocketUnusable(
        `${socketPath} is not yours: run this as the daemon's account, or as root`,
      );
    }
    return new DaemonNotRunning(socketPath);
  }
  const code = networkErrorCode(cause);
  if (code === "ECONNRESET" || code === "EPIPE") {
    return new ControlError(
      400,
      `the daemon on ${socketPath} hung up without an answer: see its log, and whether it still runs`,
    );
  }
  return /^(Malformed|HPE_|EPROTOTYPE)/.test(code)
    ? stranger(socketPath)
    : new DaemonNotRunning(socketPath);
}

/** What answers, but not as a daemon of this build does. */
export function stranger(socketPath: string): ControlError {
  return new ControlError(
    400,
    `what answers on ${socketPath} is no daemon of this Revka: restart the daemon after an update, or stop that program`,
  );
}
