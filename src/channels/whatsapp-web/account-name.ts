import type { WASocket } from "@whiskeysockets/baileys";

/**
 * Takes over from Baileys what becomes of a change of the credentials (`socket.js`, creds.update): with each, it tells
 * the server a name, or none, in a presence without a type. Such a one means online, and while a linked device is online
 * the phone gets no notifications. Here a new name is told, and that nobody is there. With that listener goes the other one
 * (`chats.js`), which reads app state once its key has come: none is read here.
 */
export function keepCredentials(sock: WASocket, saved: () => void): void {
  const { ev, authState } = sock;
  let open = false;
  ev.removeAllListeners("creds.update");
  ev.on("creds.update", (update) => {
    const known = authState.creds.me?.name;
    Object.assign(authState.creds, update);
    saved();
    // At the login Baileys does the same with the name that is known by then.
    const named = authState.creds.me?.name !== known;
    if (open && named) sock.sendPresenceUpdate("unavailable").catch(() => {});
  });
  ev.on("connection.update", ({ connection }) => {
    if (connection) open = connection === "open";
  });
}
