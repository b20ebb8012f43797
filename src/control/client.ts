import { fetchOverUnixSocket } from "../runtime/unix-fetch.ts";
import { printableLines } from "../telemetry/printable.ts";
import {
  ControlError,
  type ChatRequest,
  type ControlClient,
  type PauseReport,
  type SendReport,
  type SendRequest,
  type ShownStatus,
  type StatusReport,
} from "./api.ts";

/**
 * Speaks with the daemon of a home. Each call throws {@link DaemonNotRunning}, {@link SocketUnusable}, or
 * {@link ControlError} with the daemon's own words, or what is wrong with its answer.
 */
export function controlClient(socketPath: string): ControlClient {
  const call = async (method: "GET" | "POST", path: string, body?: unknown): Promise<unknown> => {
    let response: { status: number; text: string };
    try {
      response = await fetchOverUnixSocket(socketPath, path, {
        method,
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      });
    } catch (error) {
      throw (await import("./unanswered.ts")).whyUnanswered(socketPath, error);
    }
    const answer = parseJson(response.text);
    const fine = response.status < 300;
    if (answer === undefined || (fine && Object(answer) !== answer)) {
      throw (await import("./unanswered.ts")).stranger(socketPath);
    }
    if (fine) return answer;
    const status = ([404, 409, 413] as const).find((known) => known === response.status);
    throw new ControlError(status ?? 400, errorOf(answer));
  };
  const reportIn = async (answer: unknown): Promise<StatusReport> => {
    const report = answer as StatusReport;
    if (report.daemon && report.channels) return report;
    throw (await import("./unanswered.ts")).stranger(socketPath);
  };
  return {
    // Both ends are one build, so the shapes are those of api.ts; until the daemon is restarted after an update.
    status: async () => reportIn(await call("GET", "/status")),
    async shownStatus() {
      const shown = await call("GET", "/status?shown");
      // Drawn elsewhere, and written to a terminal here.
      if (isShown(shown)) return { ...shown, text: printableLines(shown.text) };
      // The daemon of before an update knows no such question, and answers with the report.
      const { shownStatus } = await import("./status-text.ts");
      return shownStatus(await reportIn(shown), Date.now());
    },
    send: async (request: SendRequest) => (await call("POST", "/send", request)) as SendReport,
    pause: async (request: ChatRequest) => (await call("POST", "/pause", request)) as PauseReport,
    resume: async (request: ChatRequest) => (await call("POST", "/resume", request)) as PauseReport,
    redeliver: async (id: string) => void (await call("POST", "/redeliver", { id })),
    relink: async () => void (await call("POST", "/relink", {})),
  };
}

function isShown(answer: unknown): answer is ShownStatus {
  const { text, ready, qr } = Object(answer) as Partial<ShownStatus>;
  if (typeof text !== "string" || typeof ready !== "boolean" || !Array.isArray(qr)) return false;
  return qr.every((code) => typeof code === "string");
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
