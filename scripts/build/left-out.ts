/**
 * Packages that others import and that nothing here needs. Each is replaced by the names that are imported from it: one
 * that is missing fails the build. What is never called would throw.
 */
const stubs: Record<string, string> = {
  // The AI SDK's client of its maker's hosted gateway, for models that are named by a string: 125 kB, and an address
  // that nobody configured.
  "@ai-sdk/gateway": `
    const never = () => { throw new Error("this build holds no gateway"); };
    export class GatewayError extends Error { static isInstance() { return false; } }
    export class GatewayAuthenticationError extends GatewayError {}
    export const createGateway = never;
    export const gateway = { languageModel: never };
  `,
  // Of pino, for its option `redact`: the log has sieves of its own. 50 kB, and a part of every start.
  "@pinojs/redact": `
    module.exports = () => { throw new Error("this build redacts by itself"); };
  `,
  // What parsers of files say of them where DEBUG is set: names of a customer's files, past the log and its sieves.
  debug: `
    module.exports = () => Object.assign(() => {}, { enabled: false });
  `,
};

const namespace = "left-out";

/** Is this input of the bundler one of the stubs, and so no file? */
export const isStub = (input: string): boolean => input.startsWith(`${namespace}:`);

export const leftOut: Bun.BunPlugin = {
  name: namespace,
  setup(build) {
    build.onResolve({ filter: /^(@|debug$)/ }, ({ path }) =>
      Object.hasOwn(stubs, path) ? { path, namespace } : undefined,
    );
    build.onLoad({ filter: /./, namespace }, ({ path }) => ({
      contents: stubs[path] ?? "",
      loader: "js",
    }));
  },
};
