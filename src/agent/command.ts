import { existsSync } from "node:fs";
import { resolve } from "node:path";
import type { Clock } from "../runtime/clock.ts";
import { findExecutable } from "../runtime/executable.ts";
import { runProgram } from "../runtime/program.ts";
import type { Logger } from "../telemetry/log.ts";
import { AgentError, type Agent } from "./agent.ts";
import { encodeTurn, maxAnswerBytes, parseAnswer } from "./protocol.ts";

export interface CommandOptions {
  /** The program and its arguments; no shell is involved. */
  command: readonly [string, ...string[]];
  cwd: string | undefined;
  env: Record<string, string | undefined>;
  clock: Clock;
  log: Logger;
}

/**
 * Runs a program for each turn: one JSON document on its standard input, one on its standard output. Nothing but
 * white space on the output, with exit code 0, is no reply, as 204 is for a webhook.
 */
export function createCommandAgent(options: CommandOptions): Agent {
  const [program] = options.command;
  const env = commandEnvironment(options.env);

  return {
    kind: "command",
    async run(request, signal) {
      const outcome = await runProgram(
        {
          command: options.command,
          cwd: options.cwd,
          env,
          input: encodeTurn(request),
          maxOutputBytes: maxAnswerBytes,
          clock: options.clock,
        },
        signal,
      );
      if (outcome.kind === "not_started") throw notStarted(outcome.code);
      if (outcome.kind === "too_much_output") {
        throw new AgentError(`the command wrote more than ${maxAnswerBytes} bytes`, true);
      }
      if (outcome.stderrBytes > 0) {
        options.log.debug(
          { turn: request.turn_id, bytes: outcome.stderrBytes },
          "the agent command wrote to standard error",
        );
      }
      if (outcome.code !== 0) {
        throw new AgentError(
          outcome.signal === null
            ? `the command ended with exit code ${outcome.code}`
            : `the command was ended by ${outcome.signal}`,
          true,
        );
      }
      return isBlank(outcome.stdout) ? { parts: [] } : parseAnswer(outcome.stdout);
    },
    async probe() {
      // Looked up, not run: a program may act on whatever it is given.
      if (options.cwd !== undefined && !existsSync(options.cwd)) throw notStarted("cwd_missing");
      const found = findExecutable(program, env["PATH"], options.cwd);
      if (!found) throw notStarted(isThere(program, options.cwd) ? "EACCES" : "ENOENT");
      return `the command is ${found}`;
    },
  };

  function notStarted(code: string): AgentError {
    if (code === "cwd_missing") {
      return new AgentError("the folder of [agent] cwd does not exist", false);
    }
    if (code === "ENOENT") {
      const whole = /\s/.test(program) ? "; in the list, each argument is a text of its own" : "";
      return new AgentError(
        `the program ${program} of [agent] command does not exist or is not on PATH${whole}`,
        false,
      );
    }
    if (code === "EACCES") {
      return new AgentError(
        `the program ${program} of [agent] command may not be executed: it must be a file, with \`chmod +x\``,
        false,
      );
    }
    return new AgentError(
      `the program ${program} of [agent] command did not start (${code})`,
      true,
    );
  }
}

/** As the system sees it where it starts a program: a name without a slash is looked up instead. */
function isThere(program: string, cwd: string | undefined): boolean {
  return program.includes("/") && existsSync(resolve(cwd ?? "", program));
}

/**
 * What the program finds in its environment: Revka's own, except what belongs to Revka or its supervisor. The
 * operator's keys pass, since the program is the operator's and is told its keys that way; `REVKA_*` (settings and
 * secrets) does not, nor do systemd's credentials, sockets and watchdog.
 */
export function commandEnvironment(
  env: Record<string, string | undefined>,
): Record<string, string | undefined> {
  return Object.fromEntries(
    Object.entries(env).filter(
      ([name]) =>
        !/^(REVKA_|LISTEN_(FDS|PID|FDNAMES)|NOTIFY_SOCKET|WATCHDOG_(USEC|PID)|CREDENTIALS_DIRECTORY)/i.test(
          name,
        ),
    ),
  );
}

function isBlank(bytes: Uint8Array): boolean {
  return bytes.every((byte) => byte === 0x20 || (byte >= 0x09 && byte <= 0x0d));
}
