import { type Config } from './load.ts';

function oidcOf({ oidc }: Config): unknown {
  if (oidc === null) return null;
  return { ...oidc, clientSecret: oidc.clientSecret === null ? 'none' : 'configured' };
}

/** The configuration for a log line or a support page: everything but secrets. Header values are secrets too. */
export function describeConfig(config: Config): Readonly<Record<string, unknown>> {
  const { places: _, ...tags } = config.tags;
  const { mail } = config.alerts;
  return {
    ...config,
    tags,
    alerts: { ...config.alerts, mail: mail === null ? null : { from: mail.from } },
    // What was agreed with a provider is nobody else's business.
    prices: config.prices.terms.length,
    clickHouse: describeClickHouse(config),
    oidc: oidcOf(config),
    adminKey: config.adminKey === null ? 'generated' : 'configured',
    providers: config.providers.map(({ quirks, credentials: _unprinted, host: _unshown, signIn, ...provider }) => ({
      ...provider,
      signIn: signIn === null ? 'key' : signIn.kind,
      deployments: Object.fromEntries(provider.deployments),
      apiKey: provider.apiKey === null ? 'none' : 'configured',
      headers: Object.keys(provider.headers),
      reportedCostHeader: quirks.reportedCostHeader,
    })),
  };
}

function describeClickHouse({ clickHouse }: Config): unknown {
  if (clickHouse === null) return 'none';
  const { password, caCertificate, ...server } = clickHouse;
  return {
    ...server,
    password: password === '' ? 'none' : 'configured',
    caCertificate: caCertificate === null ? 'none' : 'configured',
  };
}
