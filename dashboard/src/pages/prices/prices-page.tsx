import { useQuery } from '@tanstack/react-query';
import { useDeferredValue, useState } from 'react';
import { pricesQuery } from '../../api/prices.ts';
import { useSearchState } from '../../search/use-search.ts';
import { PageHeader } from '../../shell/page-header.tsx';
import { Outdated } from '../../ui/outdated.tsx';
import { Problem } from '../../ui/problem.tsx';
import { Skeleton } from '../../ui/skeleton.tsx';
import { PriceTable } from './price-table.tsx';
import { UnpricedModels } from './unpriced-models.tsx';

/** What everything costs and who says so, and which calls have no price yet. */
export function PricesPage() {
  const [search] = useSearchState();
  const [model, setModel] = useState(search.model);
  const [provider, setProvider] = useState(search.provider);
  const wanted = useDeferredValue(model.trim());
  const prices = useQuery(pricesQuery({ model: wanted, provider: useDeferredValue(provider.trim()) }));
  const { data, error } = prices;
  return (
    <div className="mx-auto w-full max-w-[1240px] space-y-4 px-4 py-5 sm:px-6 lg:px-8">
      <PageHeader title="Prices" freshness={data && `Price book ${data.version}`} />
      <UnpricedModels />
      <section aria-labelledby="prices-heading" className="rounded-lg border border-line bg-surface shadow-card">
        <div className="flex flex-wrap items-center gap-2 px-4 pt-3 pb-3">
          <h2 id="prices-heading" className="mr-auto text-[13px] font-semibold">
            Prices in force
            <span className="ml-2 font-normal text-ink-3">the strongest of a model first</span>
          </h2>
          <PriceFilter label="Model" hint="gpt-4o-2024-08-06" value={model} onChange={setModel} />
          <PriceFilter label="Provider" hint="openai" value={provider} onChange={setProvider} />
        </div>
        {error !== null && data === undefined && (
          <div className="px-4 pb-4">
            <Problem title="The prices could not be read" error={error} onRetry={() => void prices.refetch()} />
          </div>
        )}
        {error === null && data === undefined && <Skeleton className="mx-4 mb-4 h-40" />}
        {data !== undefined && (
          <Outdated when={prices.isPlaceholderData}>
            <PriceTable rows={data.data} asked={wanted} />
            {data.has_more && (
              <p className="border-t border-line px-4 py-2 text-xs text-ink-2">
                There are more rows than are listed here: name a model or a provider.
              </p>
            )}
          </Outdated>
        )}
      </section>
    </div>
  );
}

type PriceFilterProps = {
  readonly label: string;
  readonly hint: string;
  readonly value: string;
  readonly onChange: (value: string) => void;
};

function PriceFilter({ label, hint, value, onChange }: PriceFilterProps) {
  return (
    <input
      aria-label={label}
      value={value}
      onChange={(event) => onChange(event.target.value)}
      placeholder={`${label}: ${hint}`}
      autoComplete="off"
      spellCheck={false}
      className="h-8 w-full rounded-md border border-line-strong bg-surface px-2.5 text-[13px] shadow-card placeholder:text-ink-3 sm:w-56"
    />
  );
}
