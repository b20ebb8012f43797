import { networkErrorCode } from "../net/network-error.ts";
import { fetchOverUnixSocket } from "../runtime/unix-fetch.ts";
import {
  ControlError,
  type ChatRequest,
  type ControlApi,
  type PauseReport,
  type SendReport,
  type SendRequest,
  type StatusReport,
} from "./api.ts";

/** Nothing answers on the control socket. */
export class DaemonNotRunning extends Error {
  override readonly name = "DaemonNotRunning";
  constructor(readonly socketPath: string) {
    super(`no daemon is running here (nothing answers on ${socketPath})`);
  }
}

/** What lies at the socket's place cannot be spoken to: another account's, or no socket. */
export class SocketUnusable extends Error {
  override readonly name = "SocketUnusable";
}

/**
 * Speaks with the daemon of a home. Each call throws {@link DaemonNotRunning}, {@link SocketUnusable}, or
 * {@link ControlError} with the daemon's own words, or what is wrong with its answer.
 */
export function controlClient(socketPath: string): ControlApi {
  const call = async (method: "GET" | "POST", path: string, body?: unknown): Promise<unknown> => {
    let response: { status: number; text: string };
    try {
      response = await fetchOverUnixSocket(socketPath, path, {
        method,
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      });
    } catch (error) {
      throw await whyUnanswered(socketPath, networkErrorCode(error));
    }
    const answer = parseJson(response.text);
    const fine = response.status < 300;
    if (answer === undefined || (fine && (typeof answer !== "object" || answer === null))) {
      throw new ControlError(400, stranger(socketPath));
    }
    if (fine) return answer;
    const status = response.status === 404 || response.status === 409 ? response.status : 400;
    throw new ControlError(status, errorOf(answer));
  };
  return {
    // Both ends are one build, so the shapes are those of api.ts; until the daemon is restarted after an update.
    async status() {
      const report = (await call("GET", "/status")) as StatusReport;
      if (report.daemon && report.channels) return report;
      throw new ControlError(400, stranger(socketPath));
    },
    send: async (request: SendRequest) => (await call("POST", "/send", request)) as SendReport,
    pause: async (request: ChatRequest) => (await call("POST", "/pause", request)) as PauseReport,
    resume: async (request: ChatRequest) => (await call("POST", "/resume", request)) as PauseReport,
    redeliver: async (id: string) => void (await call("POST", "/redeliver", { id })),
    relink: async () => void (await call("POST", "/relink", {})),
  };
}

/** `code` is that of the error in place of an answer. */
async function whyUnanswered(socketPath: string, code: string): Promise<Error> {
  // Imported only here: a command that gets its answer is done sooner without it.
  const { accessSync, constants, statSync } = await import("node:fs");
  try {
    if (!statSync(socketPath).isSocket()) {
      return new SocketUnusable(
        `${socketPath} is no socket, but stands where the daemon's belongs: move it away, then restart the daemon`,
      );
    }
    accessSync(socketPath, constants.R_OK | constants.W_OK);
  } catch (error) {
    const refused = error instanceof Error && "code" in error ? error.code : undefined;
    if (refused === "EACCES" || refused === "EPERM") {
      return new SocketUnusable(
        `${socketPath} is not yours: run this as the daemon's account, or as root`,
      );
    }
    return new DaemonNotRunning(socketPath);
  }
  if (code === "ECONNRESET" || code === "EPIPE") {
    return new ControlError(
      400,
      `the daemon on ${socketPath} hung up without an answer: see its log, and whether it still runs`,
    );
  }
  if (/^(Malformed|HPE_|EPROTOTYPE)/.test(code)) {
    return new ControlError(400, stranger(socketPath));
  }
  return new DaemonNotRunning(socketPath);
}

function stranger(socketPath: string): string {
  return `what answers on ${socketPath} is no daemon of this Revka: restart the daemon after an update, or stop the program that holds the socket`;
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function errorOf(answer: unknown): string {
  if (typeof answer === "object" && answer !== null && "error" in answer) {
    return String(answer.error);
  }
  return "the daemon refused without saying why";
}
