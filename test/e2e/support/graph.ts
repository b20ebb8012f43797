import { spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import type { CustomerMessage } from "../../../src/simulator/graph/bodies.ts";
import type { SettingsChange } from "../../../src/simulator/graph/control-schema.ts";
import type { ContentFile } from "../../../src/simulator/graph/content.ts";
import type { FaultRule } from "../../../src/simulator/graph/faults.ts";
import type { Handshake } from "../../../src/simulator/graph/handshake.ts";
import type { GraphAccount, GraphSettings } from "../../../src/simulator/graph/options.ts";
import type {
  GraphRecords,
  SendRecord,
  WebhookRecord,
} from "../../../src/simulator/graph/record.ts";

export { startGraphSimulator as startGraph } from "../../../src/simulator/graph.ts";

type RecordName = Exclude<keyof GraphRecords, "sentTo" | "clear">;
type RecordOf<N extends RecordName> = GraphRecords[N]["entries"][number];

/** A Graph simulator in a process of its own, which outlives whatever is killed beside it. */
export interface RemoteGraph {
  url: string;
  pid: number;
  account: GraphAccount;
  /** Each message is one webhook. */
  write(messages: CustomerMessage[]): Promise<string[]>;
  writeBatch(messages: CustomerMessage[]): Promise<string[]>;
  deliver(body: string | Uint8Array): Promise<WebhookRecord>;
  file(bytes: Uint8Array, mimeType: string): Promise<ContentFile>;
  addFault(rule: FaultRule): Promise<number>;
  removeFault(id: number): Promise<void>;
  clearFaults(): Promise<void>;
  settings(change: SettingsChange): Promise<GraphSettings>;
  records<N extends RecordName>(name: N, from?: number): Promise<RecordOf<N>[]>;
  clearRecords(): Promise<void>;
  sentTo(recipient: string): Promise<SendRecord[]>;
  waitForSends(options: { to?: string; count: number; timeoutMs?: number }): Promise<SendRecord[]>;
  handshake(): Promise<Handshake>;
  idle(timeoutMs?: number): Promise<void>;
  stop(): Promise<void>;
}

const simulatorMain = fileURLToPath(new URL("../../../src/simulator/main.ts", import.meta.url));

/** Starts `src/simulator/main.ts`; it ends with this process at the latest. */
export async function spawnGraph(
  options: SettingsChange & { seed?: number; port?: number } = {},
): Promise<RemoteGraph> {
  const { seed = 1, port = 0, ...settings } = options;
  const child = spawn(
    process.execPath,
    [
      simulatorMain,
      "--until-eof",
      ...["--port", String(port), "--seed", String(seed)],
      ...["--settings", JSON.stringify(settings)],
    ],
    { stdio: ["pipe", "pipe", "inherit"] },
  );
  const ended = new Promise<void>((resolve) => child.on("exit", () => resolve()));
  const line = await new Promise<string>((resolve, reject) => {
    createInterface({ input: child.stdout }).once("line", resolve);
    child.once("exit", (code) => reject(new Error(`the simulator ended with ${code}`)));
  });
  const { url, pid, account }: { url: string; pid: number; account: GraphAccount } =
    JSON.parse(line);
  const { call, json } = caller(url);
  return {
    url,
    pid,
    account,
    write: async (messages) => (await json<{ ids: string[] }>("POST", "messages", messages)).ids,
    writeBatch: async (batch) => (await json<{ ids: string[] }>("POST", "messages", { batch })).ids,
    deliver: (body) => call("POST", "webhook", body, "application/json"),
    file: (bytes, mimeType) => call("POST", "media", bytes, mimeType),
    addFault: async (rule) => (await json<{ id: number }>("POST", "faults", rule)).id,
    removeFault: (id) => json("DELETE", `faults/${id}`),
    clearFaults: () => json("DELETE", "faults"),
    settings: (change) => json("PATCH", "settings", change),
    records: async <N extends RecordName>(name: N, from = 0) =>
      (await json<{ entries: RecordOf<N>[] }>("GET", `records/${name}?from=${from}`)).entries,
    clearRecords: () => json("DELETE", "records"),
    sentTo: async (recipient) =>
      (
        await json<{ entries: SendRecord[] }>(
          "GET",
          `records/sends?to=${encodeURIComponent(recipient)}`,
        )
      ).entries,
    waitForSends: async ({ to, count, timeoutMs = 5000 }) => {
      const query = new URLSearchParams({ count: String(count), timeout_ms: String(timeoutMs) });
      if (to !== undefined) query.set("to", to);
      return (await json<{ entries: SendRecord[] }>("GET", `records/sends?${query}`)).entries;
    },
    handshake: () => json("POST", "handshake"),
    idle: (timeoutMs = 5000) => json("POST", `idle?timeout_ms=${timeoutMs}`),
    async stop() {
      child.kill("SIGTERM");
      await ended;
    },
  };
}

function caller(url: string) {
  async function call<T>(
    method: string,
    path: string,
    body: string | Uint8Array | null,
    contentType: string,
  ): Promise<T> {
    const answer = await fetch(`${url}/_sim/${path}`, {
      method,
      headers: { "content-type": contentType },
      ...(body === null ? {} : { body: typeof body === "string" ? body : new Uint8Array(body) }),
    });
    const text = await answer.text();
    if (!answer.ok) throw new Error(`${method} ${path}: ${answer.status} ${text}`);
    return JSON.parse(text);
  }
  const json = <T>(method: string, path: string, body?: unknown): Promise<T> =>
    call(method, path, body === undefined ? null : JSON.stringify(body), "application/json");
  return { call, json };
}
