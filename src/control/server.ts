import { chmodSync, existsSync, unlinkSync } from "node:fs";
import * as v from "valibot";
import { shapeProblem } from "../net/shape-problem.ts";
import { serve, type Server } from "../runtime/serve.ts";
import { ControlError, type ControlApi } from "./api.ts";
import { controlClient, DaemonNotRunning } from "./client.ts";

const words = (most: number) => v.pipe(v.string(), v.nonEmpty(), v.maxLength(most));
const channel = v.optional(v.picklist(["whatsapp", "wati"]));
const sendRequest = v.object({
  to: words(200),
  text: words(65_536),
  channel,
  wait_ms: v.optional(v.pipe(v.number(), v.integer(), v.minValue(0), v.maxValue(300_000))),
});
const chatRequest = v.object({ chat: words(200), channel });
const redeliverRequest = v.object({ id: words(100) });

/** What a request to the socket may hold, bytes. */
const MAX_BODY_BYTES = 256 * 1024;

/**
 * Answers on the control socket, which only its owner may open (0600). Throws where another daemon answers on it; a
 * socket that nobody answers on is left over from a kill and is replaced. One that does not answer in `patienceMs` counts as running.
 */
export async function controlServer(
  socketPath: string,
  api: ControlApi,
  patienceMs = 3_000,
): Promise<Server> {
  if (existsSync(socketPath)) {
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
      handle: (request) => respond(request, api),
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
    .catch((error: unknown) => !(error instanceof DaemonNotRunning));
  try {
    return await Promise.race([asked, late]);
  } finally {
    clearTimeout(timer);
  }
}

async function respond(request: Request, api: ControlApi): Promise<Response> {
  const path = new URL(request.url).pathname;
  try {
    return Response.json(await call(`${request.method} ${path}`, request, api));
  } catch (error) {
    if (error instanceof ControlError) {
      return Response.json({ error: error.message }, { status: error.status });
    }
    const message = error instanceof Error ? error.message : "unknown";
    return Response.json({ error: `the daemon failed: ${message}` }, { status: 500 });
  }
}

async function call(route: string, request: Request, api: ControlApi): Promise<unknown> {
  const done = { ok: true };
  switch (route) {
    case "GET /status":
      return api.status();
    case "POST /send": {
      const body = await parse(request, sendRequest);
      return api.send({
        to: body.to,
        text: body.text,
        ...(body.channel ? { channel: body.channel } : {}),
        ...(body.wait_ms === undefined ? {} : { wait_ms: body.wait_ms }),
      });
    }
    case "POST /pause":
    case "POST /resume": {
      const body = await parse(request, chatRequest);
      const target = { chat: body.chat, ...(body.channel ? { channel: body.channel } : {}) };
      await (route === "POST /pause" ? api.pause(target) : api.resume(target));
      return done;
    }
    case "POST /redeliver":
      await api.redeliver((await parse(request, redeliverRequest)).id);
      return done;
    case "POST /relink":
      await api.relink();
      return done;
    default:
      throw new ControlError(404, `the daemon does not know ${route}`);
  }
}

async function parse<T>(request: Request, schema: v.GenericSchema<unknown, T>): Promise<T> {
  let body: unknown;
  try {
    body = await request.json();
  } catch {
    throw new ControlError(400, "the request is not JSON");
  }
  const result = v.safeParse(schema, body);
  if (!result.success) throw new ControlError(400, shapeProblem(result.issues));
  return result.output;
}
