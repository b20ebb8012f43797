import { resolvePaths, type Environment } from "../../config/paths.ts";
import { controlClient } from "../../control/client.ts";
import { exitCode, type Terminal } from "../command.ts";

/** A daemon that takes longer is asked again, by who has words for that; ms. */
const patienceMs = 1_000;

/**
 * `revka status` without another word, as monitors call it: nothing is loaded but what asking takes. Answers the exit
 * code; null where there is more to it, such as no daemon, no answer or a code to draw, and nothing was written.
 */
export async function plainStatus(env: Environment, terminal: Terminal): Promise<number | null> {
  const home = env["HOME"];
  if (!home) return null;
  const { promise: late, resolve } = Promise.withResolvers<null>();
  const timer = setTimeout(resolve, patienceMs, null);
  try {
    const { socket } = resolvePaths(null, env, home);
    const shown = await Promise.race([controlClient(socket).shownStatus(), late]);
    if (shown === null || shown.qr.length > 0) return null;
    terminal.out(shown.text);
    return shown.ready ? exitCode.fine : exitCode.failed;
  } catch {
    return null;
  } finally {
    clearTimeout(timer);
  }
}
