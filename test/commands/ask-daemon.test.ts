import { afterEach, beforeEach, describe, expect, spyOn, test } from "bun:test";
import { createServer } from "node:net";
import { join } from "node:path";
import { Readable } from "node:stream";
import { CommandError, type Invocation } from "../../src/commands/command.ts";
import { askDaemon, askDaemonIfRunning } from "../../src/commands/running-daemon.ts";
import { ControlError, SocketUnusable, type ControlApi } from "../../src/control/api.ts";
import { temporaryHome } from "../support/command.ts";

const undo: (() => unknown)[] = [];
let home: string;
let socket: string;
let invocation: Invocation;
beforeEach(() => {
  home = temporaryHome(undo);
  socket = join(home, "revka.sock");
  invocation = {
    options: {},
    positionals: [],
    configFile: undefined,
    logLevel: undefined,
    env: { REVKA_HOME: home, HOME: "/nonexistent" },
    terminal: {
      out: () => {},
      err: () => {},
      input: Readable.from([]),
      interactive: false,
      color: false,
    },
  };
});
afterEach(async () => {
  for (const step of undo.splice(0).toReversed()) await step();
});

type Way = (ask: (daemon: ControlApi) => Promise<unknown>) => Promise<unknown>;
const ways: [string, Way, string][] = [
  [
    "who needs a daemon",
    (ask) => askDaemon(invocation, ask, 100),
    "what was asked may still be done; see `revka status` and its log",
  ],
  ["who would do without", (ask) => askDaemonIfRunning(socket, ask, 100), "see its log"],
];

describe.each(ways)("%s", (_name, through, hint) => {
  test("hears its answer, and waits for nothing any more", async () => {
    const cleared = spyOn(globalThis, "clearTimeout");
    expect(await through(async () => "fine")).toBe("fine");
    // What still ran would keep the command from its end.
    expect(cleared).toHaveBeenCalledTimes(1);
    cleared.mockRestore();
  });

  test("is told of one that takes the connection and says nothing", async () => {
    const server = createServer(() => {}).listen(socket);
    const listening = new Promise((resolve) => server.once("listening", resolve));
    undo.push(() => server.close());
    await listening;
    const asked = through((daemon) => daemon.status());
    await expect(asked).rejects.toBeInstanceOf(CommandError);
    await expect(asked).rejects.toThrow(
      `the daemon took the connection on ${socket} but did not answer within 0.1 s; ${hint}`,
    );
  });

  test.each([
    ["a refusal", new ControlError(400, "no such chat")],
    ["another account's daemon", new SocketUnusable("not yours")],
  ])("is told of %s in its words", async (_, refusal) => {
    const asked = through(() => Promise.reject(refusal));
    await expect(asked).rejects.toBeInstanceOf(CommandError);
    await expect(asked).rejects.toMatchObject({ message: refusal.message });
  });

  test("is told of what nobody foresaw as it is", async () => {
    const odd = new Error("odd");
    await expect(through(() => Promise.reject(odd))).rejects.toBe(odd);
  });
});

test("where none runs, who would do without hears of none", async () => {
  expect(await askDaemonIfRunning(socket, (daemon) => daemon.status())).toBeNull();
});
