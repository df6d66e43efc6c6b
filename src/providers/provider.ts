import type { Dialect, Quirks, Wire } from '#wires';
import type { SignIn } from './sign-in/signer.ts';

/** How to sign in to a cloud, as an operator states it; each cloud takes some of it. */
export type SignInSettings = {
  readonly tenantId?: string;
  readonly clientId?: string;
  readonly clientSecret?: string;
  readonly managedIdentity?: true;
  readonly authority?: string;
  readonly scope?: string;
  readonly profile?: string;
  readonly file?: string;
};

/** What an operator says of a cloud's provider. */
export type CloudSettings = {
  /** Null where no address is stated: the cloud knows its own. */
  readonly baseUrl: string | null;
  readonly hasKey: boolean;
  /** Empty when nobody said. */
  readonly region: string;
  readonly apiVersion: string | null;
  readonly project: string | null;
  /** What the provider's own names stand for, as the operator says. */
  readonly deployments: ReadonlyMap<string, string>;
  /** Null when nothing is said of it. */
  readonly signIn: SignInSettings | null;
  /** A variable of the environment that the cloud's own tools read as well. */
  readonly variable: (name: string) => string | undefined;
};

/** Where a cloud's provider is, how it is signed in to, and how it takes wires there. */
export type CloudAccess = {
  readonly baseUrl: string;
  readonly region: string;
  /** Null where the key is enough. */
  readonly signIn: SignIn | null;
  readonly host: NonNullable<Provider['host']> | null;
};

export type CloudProblem = {
  readonly key: string;
  readonly what: string;
  readonly fix: string;
};

/** A provider inside a cloud: its address and its sign-in follow from settings of the cloud's own. */
export type Cloud = {
  /** The keys of an entry that only clouds know, as far as this one takes them; `sign_in.profile` for one inside. */
  readonly takes: readonly string[];
  readonly open: (settings: CloudSettings) => CloudAccess | CloudProblem;
};

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
  /** For one in a cloud. */
  readonly cloud?: Cloud;
  /** `request` where the name in an answer does not tell apart what is priced apart; `answer` when not said. */
  readonly pricedBy?: 'answer' | 'request';
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
