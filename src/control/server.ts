import { chmodSync, lstatSync, unlinkSync } from "node:fs";
import { onceLoaded } from "../runtime/once.ts";
import { serve, type Server } from "../runtime/serve.ts";
import { DaemonNotRunning, SocketUnusable, type ControlApi } from "./api.ts";
import { controlClient } from "./client.ts";

/** No limit of the server's: it would end the connection without the JSON that says why. The routes have their own. */
const MAX_BODY_BYTES = Number.MAX_SAFE_INTEGER;

const routes = onceLoaded(() => import("./routes.ts"));

/**
 * Answers on the control socket, which only its owner may open (0600), by the `api` that each request asks for.
 * Throws where another daemon answers on it, and where something else than a socket of ours lies there; a socket that
 * nobody answers on is left over from a kill and is replaced.
 * One that does not answer in `patienceMs` counts as running.
 */
export async function controlServer(
  socketPath: string,
  api: () => ControlApi | Promise<ControlApi>,
  patienceMs = 3_000,
): Promise<Server> {
  if (lstatSync(socketPath, { throwIfNoEntry: false })) {
    if (await answers(socketPath, patienceMs)) {
      throw new Error(
        `another daemon of this home is running (it answers on ${socketPath}): stop it first, or set REVKA_HOME`,
      );
    }
    unlinkSync(socketPath);
  }
  const mask = process.umask(0o177);
  try {
    const server = serve({
      listen: { unix: socketPath },
      maxBodyBytes: MAX_BODY_BYTES,
      idleTimeoutSecs: 0,
      handle: async (request) => (await routes()).respond(request, api),
    });
    chmodSync(socketPath, 0o600);
    return server;
  } finally {
    process.umask(mask);
  }
}

/** Whoever took the connection and says nothing in time is there as well. */
async function answers(socketPath: string, patienceMs: number): Promise<boolean> {
  const { promise: late, resolve } = Promise.withResolvers<true>();
  const timer = setTimeout(() => resolve(true), patienceMs);
  const asked = controlClient(socketPath)
    .status()
    .then(() => true)
    .catch((error: unknown) => {
      if (error instanceof SocketUnusable) throw error;
      return !(error instanceof DaemonNotRunning);
    });
  try {
    return await Promise.race([asked, late]);
  } finally {
    clearTimeout(timer);
  }
}
