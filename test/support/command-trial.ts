import { afterEach, beforeEach } from "bun:test";
import { join } from "node:path";
import type { ControlApi } from "../../src/control/api.ts";
import { controlServer } from "../../src/control/server.ts";
import { temporaryHome } from "./command.ts";

/** Commands in a home of their own; all of it new for each test. */
export interface CommandTrial {
  home: string;
  env: Record<string, string>;
  /** Done after the test, the last one first. */
  undo: (() => unknown)[];
  /** A daemon's end of the socket; tells each call that it got. What it has no answer for fails. */
  daemon(answers: Partial<ControlApi>): Promise<unknown[][]>;
}

/** To be called once, where a file's tests begin. */
export function commandTrial(): CommandTrial {
  const trial: CommandTrial = {
    home: "",
    env: {},
    undo: [],
    async daemon(answers) {
      const calls: unknown[][] = [];
      const no = () => Promise.reject(new Error("not asked for"));
      const noted =
        <A extends unknown[], T>(name: string, answer: (...args: A) => Promise<T> = no) =>
        (...args: A) => {
          calls.push([name, ...args]);
          return answer(...args);
        };
      const server = await controlServer(join(trial.home, "revka.sock"), () => ({
        status: answers.status ?? no,
        send: noted("send", answers.send),
        pause: noted("pause", answers.pause),
        resume: noted("resume", answers.resume),
        redeliver: noted("redeliver", answers.redeliver),
        relink: noted("relink", answers.relink),
      }));
      trial.undo.push(() => server.stop(true));
      return calls;
    },
  };
  beforeEach(() => {
    trial.home = temporaryHome(trial.undo);
    trial.env = { REVKA_HOME: trial.home, HOME: "/nonexistent" };
  });
  afterEach(async () => {
    for (const step of trial.undo.splice(0).toReversed()) await step();
  });
  return trial;
}
