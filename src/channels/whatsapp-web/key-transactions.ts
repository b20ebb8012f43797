import { AsyncLocalStorage } from "node:async_hooks";
import type {
  SignalDataSet,
  SignalDataTypeMap,
  SignalKeyStoreWithTransaction,
} from "@whiskeysockets/baileys";
import type { GroupCommit, HeldChange, Staged } from "./group-commit.ts";
import { holdValue, valueOf } from "./key-store.ts";
import { Mutex } from "./mutex.ts";

/** A transaction on its way. Work that outlives it (a promise nobody awaited) must not write into it. */
interface Context {
  level: "account" | "ratchet";
  live: boolean;
  /** Of the {@link GroupCommit} when it began. */
  generation: number;
  values: Map<string, HeldChange>;
  alongside: (() => void)[];
}

const MAPPINGS = "lid-mapping";

/**
 * The key store as Baileys sees it, with one mutex for all ratchets in place of one for each caller's label:
 * Baileys 7.0.0-rc14 (`Utils/auth-utils.js:231`) lets two transactions change one session from stale copies, and
 * holds a transaction over a whole send, which it commits only after the stanza left.
 *
 * - A ratchet's transaction is short (no network). Its result may be used at once inside; what goes out because of it
 *   waits for the disk ({@link GroupCommit.afterwards}).
 * - What Baileys wraps around a whole send, upload or sync, under the account's own JID, only keeps those apart
 *   from each other; the changes within commit by themselves.
 * - LID mappings need neither: they are written at once, so that a look-up never waits for a transaction that waits
 *   for the look-up.
 */
export class KeyTransactions {
  private readonly contexts = new AsyncLocalStorage<Context>();
  private readonly account = new Mutex();
  private readonly ratchet = new Mutex();

  constructor(
    private readonly commit: GroupCommit,
    /** Labels that Baileys gives to long transactions. */
    private readonly isAccountLabel: (label: string) => boolean,
    private readonly onMappings: (pairs: Record<string, string>) => void = () => {},
  ) {}

  /** Puts this in the place of Baileys' own transactions; every part of a socket shares the object. */
  takeOver(keys: SignalKeyStoreWithTransaction): void {
    keys.get = this.get;
    keys.set = this.set;
    keys.transaction = this.transaction;
    keys.isInTransaction = () => this.current() !== undefined;
  }

  readonly get = async <T extends keyof SignalDataTypeMap>(
    type: T,
    ids: string[],
  ): Promise<{ [id: string]: SignalDataTypeMap[T] }> => {
    const found: { [id: string]: SignalDataTypeMap[T] } = {};
    const context = this.current();
    for (const id of ids) {
      const changed = context?.values.get(nameOf(type, id));
      const held = changed ? changed.held : this.commit.get(type, id);
      if (held !== null && held !== undefined) found[id] = valueOf(type, held);
    }
    return found;
  };

  readonly set = async (data: SignalDataSet): Promise<void> => {
    const { [MAPPINGS]: mappings, ...rest } = data;
    if (mappings) this.setMappings(mappings);
    const changes = changesOf(rest);
    if (changes.length === 0) return;
    const context = this.current();
    if (context?.level === "ratchet") {
      for (const change of changes) context.values.set(nameOf(change.type, change.id), change);
      return;
    }
    await this.ratchetTransaction(async (own) => {
      for (const change of changes) own.values.set(nameOf(change.type, change.id), change);
    });
  };

  readonly transaction = <T>(work: () => Promise<T>, label: string): Promise<T> => {
    const context = this.current();
    if (label === MAPPINGS || context?.level === "ratchet") return work();
    return this.isAccountLabel(label) ? this.besideNoSend(work) : this.ratchetTransaction(work);
  };

  /** Keeps work apart from what Baileys wraps around a whole send. */
  besideNoSend<T>(work: () => Promise<T>): Promise<T> {
    if (this.current()) return work();
    return this.account.run(() => this.within("account", work));
  }

  /** Has `write` done in the same database transaction as the changes of the ratchet's transaction around it. */
  alongside(write: () => void): void {
    const context = this.current();
    if (context?.level !== "ratchet") throw new Error("not in a ratchet's transaction");
    context.alongside.push(write);
  }

  private ratchetTransaction<T>(work: (own: Context) => Promise<T>): Promise<T> {
    return this.ratchet.run(() =>
      this.within("ratchet", async (context) => {
        const value = await work(context);
        // It may have read what was staged and then could not be written.
        if (context.generation !== this.commit.generation) throw new Error("a write was lost");
        this.commit.stage(stagedOf(context));
        return value;
      }),
    );
  }

  private within<T>(level: Context["level"], work: (own: Context) => Promise<T>): Promise<T> {
    const { generation } = this.commit;
    const context: Context = { level, live: true, generation, values: new Map(), alongside: [] };
    return this.contexts.run(context, async () => {
      try {
        return await work(context);
      } finally {
        context.live = false;
      }
    });
  }

  private current(): Context | undefined {
    const context = this.contexts.getStore();
    return context?.live ? context : undefined;
  }

  private setMappings(mappings: Record<string, string | null>): void {
    const known: Record<string, string> = {};
    const changes: HeldChange[] = [];
    for (const [id, value] of Object.entries(mappings)) {
      const held = value === null ? null : holdValue(MAPPINGS, value);
      if ((this.commit.get(MAPPINGS, id) ?? null) === held) continue;
      changes.push({ type: MAPPINGS, id, held });
      if (value !== null) known[id] = value;
    }
    this.commit.stage({ changes, alongside: [] });
    if (Object.keys(known).length > 0) this.onMappings(known);
  }
}

function stagedOf(context: Context): Staged {
  return { changes: [...context.values.values()], alongside: context.alongside };
}

function changesOf(data: SignalDataSet): HeldChange[] {
  return Object.entries(data).flatMap(([type, values]) =>
    Object.entries(values ?? {}).map(([id, value]) => ({
      type,
      id,
      held: value === null || value === undefined ? null : holdValue(type, value),
    })),
  );
}

function nameOf(type: string, id: string): string {
  return `${type}\0${id}`;
}
