/**
 * Is: the providers Apportion knows, as data, and the built-in sandbox.
 * Owns: addresses, sign-in, dialects and quirks of each. Not: wire formats, prices, connections.
 * Holds: each provider is a folder of the same shape and one line in the registry.
 * Fails: it does not; an unknown name is undefined.
 */
export type { Cloud, CloudAccess, CloudProblem, CloudSettings, Provider, SignInSettings } from './provider.ts';
export { findProvider, PROVIDERS } from './registry.ts';
export { openSigner, type SignIn, type Signer } from './sign-in/signer.ts';
export { startSandbox, type Sandbox } from './sandbox/index.ts';
