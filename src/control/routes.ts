import * as v from "valibot";
import { BodyTooLarge, readBody } from "../net/body.ts";
import { shapeProblem } from "../net/shape-problem.ts";
import { ControlError, type ControlApi } from "./api.ts";
import { shownStatus } from "./status-text.ts";

/** What a request that is read may hold; what nobody reads is not kept. */
const maxBodyBytes = 256 * 1024;

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

/** Answers one request to the control socket. Never rejects. */
export async function respond(
  request: Request,
  api: () => ControlApi | Promise<ControlApi>,
): Promise<Response> {
  // Bun passes on what a client writes as its `Host`, be it no address.
  const url = URL.parse(request.url);
  try {
    return Response.json(await call(request, url, await api()));
  } catch (error) {
    if (error instanceof ControlError) {
      return Response.json({ error: error.message }, { status: error.status });
    }
    const message = error instanceof Error ? error.message : "unknown";
    return Response.json({ error: `the daemon failed: ${message}` }, { status: 500 });
  }
}

async function call(request: Request, url: URL | null, api: ControlApi): Promise<unknown> {
  const route = `${request.method} ${url?.pathname ?? ""}`;
  const done = { ok: true };
  switch (route) {
    case "GET /status": {
      const report = await api.status();
      return url?.searchParams.has("shown") ? shownStatus(report, Date.now()) : report;
    }
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
      const report = await (route === "POST /pause" ? api.pause(target) : api.resume(target));
      return { ...done, ...report };
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
    body = JSON.parse(new TextDecoder().decode(await readBody(request, maxBodyBytes)));
  } catch (error) {
    throw error instanceof BodyTooLarge
      ? new ControlError(413, "that is more than the daemon takes at once (256 KiB)")
      : new ControlError(400, "the request is not JSON");
  }
  const result = v.safeParse(schema, body);
  if (!result.success) throw new ControlError(400, shapeProblem(result.issues));
  return result.output;
}
