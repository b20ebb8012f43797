import { afterEach, beforeEach } from "bun:test";
import { join } from "node:path";
import type { ConversationStore } from "../../src/store/contract.ts";
import { fakeClock, type FakeClock } from "./clock.ts";
import { storeAt, temporaryFolder } from "./store.ts";

/** A store in a folder of its own; all of it new for each test. */
export interface StoreTrial {
  clock: FakeClock;
  /** Where the store's file lies. */
  folder: string;
  /** The store's file. */
  file: string;
  store: ConversationStore;
  /** Closes the store, as a stop does, and opens it again. */
  reopen(): void;
}

/** To be called once, where a file's tests begin. */
export function storeTrial(): StoreTrial {
  let remove: () => void;
  const trial = {
    reopen() {
      trial.store.close();
      trial.store = storeAt(trial.file, trial.clock);
    },
  } as StoreTrial;
  beforeEach(() => {
    const folder = temporaryFolder();
    remove = folder.remove;
    trial.clock = fakeClock();
    trial.folder = folder.path;
    trial.file = join(folder.path, "revka.db");
    trial.store = storeAt(trial.file, trial.clock);
  });
  afterEach(() => {
    trial.store.close();
    remove();
  });
  return trial;
}
