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

/** The socket is another account's. */
export class ControlForbidden extends Error {
  override readonly name = "ControlForbidden";
  constructor(socketPath: string) {
    super(`${socketPath} is not yours: run this as the daemon's account, or as root`);
  }
}

/**
 * Speaks with the daemon of a home. Each call throws {@link DaemonNotRunning}, {@link ControlForbidden}, or
 * {@link ControlError} with the daemon's own words.
 */
export function controlClient(socketPath: string): ControlApi {
  const call = async (method: "GET" | "POST", path: string, body?: unknown): Promise<unknown> => {
    let response: { status: number; text: string };
    try {
      response = await fetchOverUnixSocket(socketPath, path, {
        method,
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      });
    } catch {
      throw await whyUnanswered(socketPath);
    }
    const answer: unknown = JSON.parse(response.text);
    if (response.status < 300) return answer;
    const status = response.status === 404 || response.status === 409 ? response.status : 400;
    throw new ControlError(status, errorOf(answer));
  };
  return {
    // Both ends are one build, so the shapes are those of api.ts.
    status: async () => (await call("GET", "/status")) as StatusReport,
    send: async (request: SendRequest) => (await call("POST", "/send", request)) as SendReport,
    pause: async (request: ChatRequest) => (await call("POST", "/pause", request)) as PauseReport,
    resume: async (request: ChatRequest) => (await call("POST", "/resume", request)) as PauseReport,
    redeliver: async (id: string) => void (await call("POST", "/redeliver", { id })),
    relink: async () => void (await call("POST", "/relink", {})),
  };
}

async function whyUnanswered(socketPath: string): Promise<Error> {
  // Imported only here: a command that gets its answer is done sooner without it.
  const { accessSync, constants } = await import("node:fs");
  try {
    accessSync(socketPath, constants.R_OK | constants.W_OK);
  } catch (error) {
    const code = error instanceof Error && "code" in error ? error.code : undefined;
    if (code === "EACCES" || code === "EPERM") return new ControlForbidden(socketPath);
  }
  return new DaemonNotRunning(socketPath);
}

function errorOf(answer: unknown): string {
  if (typeof answer === "object" && answer !== null && "error" in answer) {
    return String(answer.error);
  }
  return "the daemon refused without saying why";
}
