import { beforeEach, describe, expect, test } from "bun:test";
import type { BinaryNode, WASocket } from "@whiskeysockets/baileys";
import {
  MediaConnections,
  NoMediaConnection,
} from "../../../src/channels/whatsapp-web/media-connection.ts";
import { type FakeClock, fakeClock } from "../../support/clock.ts";

type Attributes = Record<string, string>;

function named(attrs: Attributes, ...hosts: Attributes[]): BinaryNode {
  const content = hosts.map((host) => ({ tag: "host", attrs: host }));
  return { tag: "iq", attrs: {}, content: [{ tag: "media_conn", attrs, content }] };
}

const host = { hostname: "media.example" };
const good = named({ auth: "secret", ttl: "300" }, host, { hostname: "other.example:8443" });
const connection = { hosts: ["media.example", "other.example:8443"], auth: "secret" };

let clock: FakeClock;
let connections: MediaConnections;
let asked: BinaryNode[];
/** What the server says. */
let answer: () => Promise<BinaryNode | undefined>;

/** As much of a socket as asks the server. */
function socket(): WASocket {
  const query = (node: BinaryNode) => (asked.push(node), answer());
  return { query } as unknown as WASocket;
}

let sock: WASocket;
const never = new AbortController().signal;
const find = (signal = never) => connections.find(sock, signal);

beforeEach(() => {
  clock = fakeClock();
  connections = new MediaConnections(clock);
  asked = [];
  answer = async () => good;
  sock = socket();
});

test("the server is asked as Baileys asks it", async () => {
  expect(await find()).toEqual(connection);
  expect(asked).toEqual([
    {
      tag: "iq",
      attrs: { type: "set", xmlns: "w:m", to: "@s.whatsapp.net" },
      content: [{ tag: "media_conn", attrs: {} }],
    },
  ]);
  expect(clock.pending).toBe(0);
});

test("an answer is kept for the time it is good for, from the question on", async () => {
  const late = Promise.withResolvers<BinaryNode>();
  answer = () => late.promise;
  const first = find();
  await clock.advance(5_000);
  late.resolve(good);
  await first;
  await clock.advance(294_999);
  await find();
  expect(asked).toHaveLength(1);
  await clock.advance(1);
  await find();
  expect(asked).toHaveLength(2);
});

test.each<Attributes>([{}, { ttl: "" }, { ttl: "soon" }, { ttl: "0" }, { ttl: "-1" }])(
  "an answer that does not say how long it is good for serves once: %p",
  async (ttl) => {
    answer = async () => named({ auth: "secret", ...ttl }, host);
    await find();
    await find();
    expect(asked).toHaveLength(2);
  },
);

test("who asks meanwhile waits for the same answer", async () => {
  expect(await Promise.all([find(), find(), find()])).toEqual([connection, connection, connection]);
  expect(asked).toHaveLength(1);
});

test("who gives up leaves the others waiting", async () => {
  const late = Promise.withResolvers<BinaryNode>();
  answer = () => late.promise;
  const stop = new AbortController();
  const [stopped, other] = [find(stop.signal), find()];
  stop.abort(new Error("shutting down"));
  await expect(stopped).rejects.toThrow("shutting down");
  late.resolve(good);
  expect(await other).toEqual(connection);
  await expect(find(stop.signal)).rejects.toThrow("shutting down");
});

test("another connection is asked by itself", async () => {
  await find();
  sock = socket();
  await find();
  expect(asked).toHaveLength(2);
});

describe("a failure", () => {
  test.each<[string, () => Promise<BinaryNode | undefined>]>([
    ["a refusal", () => Promise.reject(new Error("internal-server-error"))],
    ["no answer in Baileys' time", async () => undefined],
    ["an answer of another kind", async () => ({ tag: "iq", attrs: {} })],
    ["no host", async () => named({ auth: "secret", ttl: "300" })],
    ["a host without a name", async () => named({ auth: "secret", ttl: "300" }, {})],
    ["no leave to upload", async () => named({ ttl: "300" }, host)],
  ])("is told to all who wait; the next asks anew: %s", async (_, failing) => {
    answer = failing;
    const both = await Promise.allSettled([find(), find()]);
    const told = both.map((one) => one.status === "rejected" && one.reason);
    expect(told).toEqual([expect.any(NoMediaConnection), expect.any(NoMediaConnection)]);
    expect(asked).toHaveLength(1);
    answer = async () => good;
    expect(await find()).toEqual(connection);
    expect(asked).toHaveLength(2);
  });

  test("is what takes 10 s; an answer after that counts for nothing", async () => {
    const late = Promise.withResolvers<BinaryNode>();
    answer = () => late.promise;
    const first = find();
    await clock.advance(9_999);
    const second = find();
    await clock.advance(1);
    const both = await Promise.allSettled([first, second]);
    expect(both.map(({ status }) => status)).toEqual(["rejected", "rejected"]);
    answer = () => Promise.reject(new Error("refused"));
    const third = find();
    late.resolve(good);
    await expect(third).rejects.toBeInstanceOf(NoMediaConnection);
    expect(asked).toHaveLength(2);
  });
});
