import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { controlClient } from "../../src/control/client.ts";
import { Victim } from "./daemon.ts";
import { tracedStartMs, type Scenario } from "./plan.ts";
import { Power } from "./power.ts";

export interface FirstStarts {
  /** New homes whose first daemon was killed while it made its store. */
  killed: number;
  /** Those of them whose next daemon came up and found nothing wrong. */
  cameUp: number;
}

const newHomes = 12;
/** How late the kill may come after the start, ms. */
const latestKill = 200;

/** Kills the first start of new homes, with the power or without, and looks whether the next one makes good what is there. */
export async function killFirstStarts(options: {
  scenario: Scenario;
  rounds: number;
  /** Its settings are taken over. */
  victim: Victim;
  folder: string;
  random: () => number;
}): Promise<FirstStarts> {
  const { scenario, rounds, victim, folder, random } = options;
  const kinds: Scenario[] = ["start", "mixed", "power"];
  const killed = kinds.includes(scenario) ? Math.min(newHomes, rounds) : 0;
  let cameUp = 0;
  for (let number = 0; number < killed; number++) {
    const home = join(folder, `home-${number}`);
    const config = { ...victim.options.config, store: {} };
    const power = victim.options.power ? new Power([join(home, "revka.db")], folder, random) : null;
    const fresh = new Victim({ ...victim.options, home, config, power });
    fresh.start();
    await pause(Math.floor(random() * (power ? tracedStartMs : latestKill)));
    await power?.on();
    await fresh.end("SIGKILL");
    await power?.cut();
    fresh.start();
    const control = controlClient(join(home, "revka.sock"));
    for (let tries = 0; tries < 500 && fresh.running; tries++) {
      const status = await control.status().catch(() => null);
      if (status) {
        if (status.alarms.length === 0) cameUp++;
        break;
      }
      await pause(20);
    }
    await fresh.end("SIGKILL");
  }
  return { killed, cameUp };
}
