import {
  Connection,
  type ConnectionOptions,
  type SocketEvents,
} from "../../../src/channels/whatsapp-web/connection.ts";
import { silentLog } from "../../../src/telemetry/log.ts";
import { fakeClock } from "../../support/clock.ts";

interface FakeSocket {
  events: SocketEvents;
  ended: boolean;
  pings: number;
  version: readonly number[];
}

/** A connection whose sockets do what the test says, on a clock of its own. */
export function setup(overrides: Partial<ConnectionOptions> = {}) {
  const clock = fakeClock();
  const sockets: FakeSocket[] = [];
  const record = { linked: true, versions: 0, loggedOut: 0, forgotten: 0, prepared: 0, changes: 0 };
  /** What the server does. */
  const world = {
    pong: async () => {},
    pairCode: async () => "ABCD1234",
  };
  const connection = new Connection({
    clock,
    random: () => 0,
    log: silentLog,
    byCode: false,
    isLinked: () => record.linked,
    onNotLinked: () => void record.forgotten++,
    prepare: async () => void record.prepared++,
    findVersion: async () => [2, 3000, ++record.versions],
    open: (version, events) => {
      const socket = { events, ended: false, pings: 0, version };
      sockets.push(socket);
      return {
        ping: () => {
          socket.pings++;
          return world.pong();
        },
        requestPairCode: () => world.pairCode(),
        end: () => void (socket.ended = true),
      };
    },
    onLoggedOut: async () => void record.loggedOut++,
    onChange: () => void record.changes++,
    ...overrides,
  });
  const last = () => {
    const socket = sockets.at(-1);
    if (!socket) throw new Error("no socket was opened");
    return socket;
  };
  const settle = () => clock.advance(0);
  return { clock, connection, sockets, last, record, world, settle };
}

export async function opened(overrides: Partial<ConnectionOptions> = {}) {
  const s = setup(overrides);
  s.connection.start();
  await s.settle();
  s.last().events.opened();
  return s;
}
