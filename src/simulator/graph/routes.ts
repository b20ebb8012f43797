import { timingSafeEqual } from "node:crypto";
import type { IncomingMessage, ServerResponse } from "node:http";
import { hmacSha256 } from "../../runtime/hmac.ts";
import { codeOf, errorAnswer, json, meetFaults, writeAnswer, type GraphAnswer } from "./answers.ts";
import { GraphRefusal, graphError, refuse, unknownObject } from "./errors.ts";
import { readBody } from "./exchange.ts";
import { describeApp, describeObject, describeToken } from "./info.ts";
import { mediaPath } from "./media.ts";
import type { GraphRequest } from "./request.ts";
import { takeSend } from "./send.ts";
import type { GraphWorld } from "./world.ts";

/** The versions that Graph knows in November 2026; those before v21 are served as v21. */
const knownVersions = [
  "v18.0",
  "v19.0",
  "v20.0",
  "v21.0",
  "v22.0",
  "v23.0",
  "v24.0",
  "v25.0",
  "v26.0",
] as const;
const oldestServed = 21;

const bodyLimit = 110 * 1024 * 1024;

/** Serves one request of the Graph side. */
export async function graphRoute(
  world: GraphWorld,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const at = world.now();
  const url = new URL(request.url ?? "/", "http://graph");
  const method = request.method ?? "GET";
  const body = await readBody(request, bodyLimit);
  if (body === null) return void response.destroy();
  let answer: GraphAnswer;
  try {
    answer = await route(world, url, method, body, request);
  } catch (error) {
    if (!(error instanceof GraphRefusal)) throw error;
    answer = errorAnswer(error.error);
  }
  const code = codeOf(answer);
  const status = answer.kind === "bytes" ? 200 : "status" in answer ? answer.status : 0;
  url.searchParams.delete("access_token");
  url.searchParams.delete("input_token");
  world.records.requests.add({ at, method, path: url.pathname + url.search, status, code });
  writeAnswer(response, answer, servedVersion(url.pathname));
}

async function route(
  world: GraphWorld,
  url: URL,
  method: string,
  body: Buffer,
  request: IncomingMessage,
): Promise<GraphAnswer> {
  authenticate(world, request.headers.authorization, url.searchParams.get("access_token"));
  checkProof(world, url.searchParams.get("appsecret_proof"));
  const contentType = request.headers["content-type"] ?? "";
  if (url.pathname === mediaPath) return mediaBytes(world, url);
  const [, version = "", ...segments] = url.pathname.split("/");
  if (!knownVersions.some((known) => known === version)) {
    refuse(graphError(2500, null, { message: `Unknown path components: ${url.pathname}` }));
  }
  return dispatch(world, {
    method,
    segments: segments.filter((segment) => segment !== ""),
    version,
    query: url.searchParams,
    body,
    contentType,
  });
}

async function dispatch(world: GraphWorld, request: GraphRequest): Promise<GraphAnswer> {
  const { method, query } = request;
  const [id = "", edge, extra] = request.segments;
  const own = world.account.phoneNumberId;
  const isNumber =
    id === own || (own === null && /^\d+$|^[\w-]+$/.test(id) && !world.media.get(id));
  if (extra !== undefined) refuse(unknownObject(method, id));
  if (method === "POST" && edge === "messages" && isNumber) {
    return takeSend(world, request, id);
  }
  if (method === "POST" && edge === "media" && isNumber) return upload(world, request);
  const file = edge === undefined ? world.media.get(id) : undefined;
  if (file) {
    const fault = await meetFaults(world, "media_info", null);
    if (fault) return fault;
    const asked = query.get("phone_number_id");
    if (asked !== null && own !== null && asked !== own) refuse(unknownObject(method, id));
    if (method === "DELETE") return json({ success: world.media.delete(id) });
    return json({
      messaging_product: "whatsapp",
      url: world.url() + world.media.address(file, world.now()),
      mime_type: file.mimeType,
      sha256: file.sha256,
      file_size: String(file.bytes.length),
      id,
    });
  }
  const fault = await meetFaults(world, isNumber && !edge ? "phone_number" : "other", null);
  if (fault) return fault;
  if (method === "GET" && id === "debug_token") return json(describeToken(world, query));
  if (method === "GET" && id === "app") return json(describeApp(world));
  const described = describeObject(world, request, id, edge, isNumber);
  if (described === null) refuse(unknownObject(method, id));
  return json(described);
}

/** Who adds a proof must have made it with the app's secret (G/securing-requests). */
function checkProof({ account }: GraphWorld, proof: string | null): void {
  if (proof === null) return;
  const made = hmacSha256(account.appSecret, Buffer.from(account.accessToken));
  if (proof === Buffer.from(made).toString("hex")) return;
  refuse(
    graphError(100, null, { message: "Invalid appsecret_proof provided in the API argument" }),
  );
}

function authenticate(
  world: GraphWorld,
  header: string | undefined,
  parameter: string | null,
): void {
  const given = header?.match(/^(?:Bearer|OAuth) (.+)$/i)?.[1] ?? parameter;
  if (given === null || given === undefined) {
    refuse(
      graphError(2500, null, {
        status: 401,
        message: "An active access token must be used to query information about the current user.",
      }),
    );
  }
  const { accessToken, tokenExpiresAt } = world.account;
  const same =
    given.length === accessToken.length &&
    timingSafeEqual(Buffer.from(given), Buffer.from(accessToken));
  if (!same) refuse(graphError(190));
  if (tokenExpiresAt > 0 && tokenExpiresAt * 1000 < world.now()) {
    refuse(
      graphError(190, null, {
        subcode: 463,
        message: "Error validating access token: Session has expired.",
      }),
    );
  }
}

async function upload(world: GraphWorld, request: GraphRequest): Promise<GraphAnswer> {
  let form: FormData;
  try {
    const asRequest = new Request("http://graph/", {
      method: "POST",
      headers: { "content-type": request.contentType },
      body: new Uint8Array(request.body),
    });
    form = await asRequest.formData();
  } catch {
    refuse(graphError(100, "The body is not a multipart form"));
  }
  const fault = await meetFaults(world, "upload", null);
  if (fault) return fault;
  const file = await world.media.upload(form);
  world.records.uploads.add({
    at: world.now(),
    mediaId: file.id,
    mimeType: file.mimeType,
    filename: file.filename,
    bytes: file.bytes.length,
  });
  return json({ id: file.id });
}

async function mediaBytes(world: GraphWorld, url: URL): Promise<GraphAnswer> {
  const fault = await meetFaults(world, "media_bytes", null);
  if (fault) return fault;
  const file = world.media.resolve(url.searchParams, world.now());
  if (!file) return { kind: "text", status: 404, text: "" };
  world.records.downloads.add({ at: world.now(), mediaId: file.id, bytes: file.bytes.length });
  return { kind: "bytes", bytes: file.bytes, mimeType: file.mimeType };
}

/** Graph serves the versions that it no longer has as the oldest that it has. */
function servedVersion(path: string): string {
  const major = Number(/^\/v(\d+)/.exec(path)?.[1] ?? oldestServed);
  return `v${Math.max(major, oldestServed)}.0`;
}
