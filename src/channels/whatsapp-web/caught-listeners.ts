import type { EventEmitter } from "node:events";

/**
 * Baileys listens with async functions, and some let a write to a lost connection reject (`socket.js`,
 * CB:ib,,offline_preview and pair-device): nobody would catch that, and it ends the process. Puts a catch around every
 * listener there is, which still answers a promise of its end; the order stays. Call it before others listen.
 */
export function catchRejections(
  emitter: Pick<EventEmitter, "eventNames" | "rawListeners" | "removeAllListeners" | "on">,
  onRejected: (error: unknown) => void,
): void {
  for (const event of emitter.eventNames()) {
    const listeners = emitter.rawListeners(event);
    emitter.removeAllListeners(event);
    for (const listener of listeners) {
      emitter.on(event, (...values: unknown[]) => {
        const result: unknown = Reflect.apply(listener, emitter, values);
        return result instanceof Promise ? result.catch(onRejected) : result;
      });
    }
  }
}
