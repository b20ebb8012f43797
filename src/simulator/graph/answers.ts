import type { ServerResponse } from "node:http";
import { errorBody, graphError, type GraphError } from "./errors.ts";
import { answerJson } from "./exchange.ts";
import type { Effect, Operation } from "./faults.ts";
import { isObject } from "./json.ts";
import type { GraphWorld } from "./world.ts";

/** What a route answers. `sever` closes the connection instead; `silent` leaves it open without a word. */
export type GraphAnswer =
  | { kind: "json"; status: number; body: unknown; headers?: Record<string, string> }
  | { kind: "bytes"; bytes: Uint8Array; mimeType: string }
  | { kind: "text"; status: number; text: string }
  | { kind: "sever" }
  | { kind: "silent" };

/** A good answer. */
export function json(body: unknown): GraphAnswer {
  return { kind: "json", status: 200, body };
}

/** An error as Graph writes it. */
export function errorAnswer(error: GraphError): GraphAnswer {
  const headers: Record<string, string> = {};
  if (error.retryAfterSecs !== null) headers["retry-after"] = String(error.retryAfterSecs);
  if (error.status === 401) {
    headers["www-authenticate"] = `OAuth "Facebook Platform" "invalid_token" "${error.message}"`;
  }
  return { kind: "json", status: error.status, body: errorBody(error), headers };
}

/** What the client sees of a fault; null where the request goes on first. */
export function faultAnswer(effect: Exclude<Effect, { kind: "delay" }>): GraphAnswer | null {
  switch (effect.kind) {
    case "error":
      return errorAnswer(
        graphError(effect.code, effect.details ?? null, {
          ...(effect.status === undefined ? {} : { status: effect.status }),
          retryAfterSecs: effect.retryAfterSecs ?? null,
        }),
      );
    case "http":
      return {
        kind: "text",
        status: effect.status,
        text: "<html>Sorry, something went wrong.</html>",
      };
    case "drop":
    case "lose-answer":
      return { kind: "sever" };
    case "hang":
      return { kind: "silent" };
    case "fail-later":
      return null;
  }
}

/** Applies the faults of an operation that nothing can be lost of; the answer that a fault forces, or null. */
export async function meetFaults(
  world: GraphWorld,
  operation: Operation,
  recipient: string | null,
): Promise<GraphAnswer | null> {
  for (const effect of world.faults.strike(operation, recipient)) {
    if (effect.kind === "delay") await world.pause(effect.ms);
    else return faultAnswer(effect);
  }
  return null;
}

/** `error.code` of a JSON answer, else null. */
export function codeOf(answer: GraphAnswer): number | null {
  if (answer.kind !== "json" || !isObject(answer.body)) return null;
  const { error } = answer.body;
  return isObject(error) && typeof error["code"] === "number" ? error["code"] : null;
}

/** Writes an answer out, or does to the connection what a fault wants. `version` is what Graph says it served. */
export function writeAnswer(response: ServerResponse, answer: GraphAnswer, version: string): void {
  const headers = { "facebook-api-version": version };
  switch (answer.kind) {
    case "json":
      answerJson(response, answer.status, answer.body, { ...headers, ...answer.headers });
      return;
    case "bytes":
      response.writeHead(200, {
        "content-type": answer.mimeType,
        "content-length": String(answer.bytes.length),
      });
      response.end(answer.bytes);
      return;
    case "text":
      response.writeHead(answer.status, { "content-type": "text/html" });
      response.end(answer.text);
      return;
    case "sever":
      response.socket?.destroy();
      response.destroy();
      return;
    case "silent":
      return;
  }
}
