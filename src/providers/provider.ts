import type { Dialect, Quirks, Wire } from '#wires';

/**
 * One provider as data: where it is, how it is signed in to, what it speaks, and where it differs. Each has a folder of the
 * same shape, a line in the registry, and its prices in `prices/`.
 */
export type Provider = {
  /** Its name in settings, entries and reports; `<NAME>_API_KEY` and `<NAME>_BASE_URL` configure it. */
  readonly name: string;
  readonly title: string;
  /** Without a slash at the end; null for one that must be configured, because everybody runs their own. */
  readonly baseUrl: string | null;
  /** Further names its key and address are known by in the environment (`GOOGLE_API_KEY`). */
  readonly alsoKnownAs: readonly string[];
  /** The provider id whose price rows apply. */
  readonly priceAs: string;
  readonly dialects: readonly Dialect[];
  /**
   * How it takes a wire of its dialects for a model, where that is not as the dialect says: at another path, in other
   * frames. Undefined for what it does not take.
   */
  readonly host?: (wire: Wire, model: string) => Wire | undefined;
  /** The headers that sign a request in. */
  readonly credentials: (apiKey: string) => Readonly<Record<string, string>>;
  /** Serves without a key, on one's own machines. */
  readonly keyless: boolean;
  /**
   * What stops the bill when a client leaves a stream: `abort` where the provider stops with us, `drain` where it bills the
   * whole answer anyway, which is then read to its usage.
   */
  readonly onDisconnect: 'drain' | 'abort';
  readonly quirks: Quirks;
};
