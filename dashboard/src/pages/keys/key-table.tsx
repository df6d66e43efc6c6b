import type { Key } from '../../api/keys.ts';
import { useSearchState } from '../../search/use-search.ts';
import { nowMs } from '../../time/clock.ts';
import { dateIn, minuteIn } from '../../time/zone.ts';
import { Badge } from '../../ui/badge.tsx';
import { MoneyCell, paceWords } from './money-cell.tsx';

/** One width for every team, so that their columns stand below each other. */
const COLUMNS = [
  ['Key', 'w-[18%]'],
  ['Owner', 'w-[13%]'],
  ['May call', 'w-[22%]'],
  ['Limits', 'w-[13%]'],
  ['Expires', 'w-[9%]'],
  ['Last used', 'w-[9%]'],
  ['Spent', 'w-[16%]'],
] as const;

export function KeyTable({ keys }: { readonly keys: readonly Key[] }) {
  return (
    <div className="relative overflow-x-auto">
      <table className="w-full min-w-[1120px] table-fixed border-t border-line text-[13px]">
        <thead>
          <tr>
            {COLUMNS.map(([name, width]) => (
              <th key={name} className={`px-4 py-2 text-left text-xs font-medium text-ink-2 ${width}`}>
                {name}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {keys.map((key) => (
            <KeyRow key={key.id} of={key} />
          ))}
        </tbody>
      </table>
    </div>
  );
}

function KeyRow({ of }: { readonly of: Key }) {
  const [{ tz }] = useSearchState();
  const pace = paceWords(of);
  return (
    <tr className="border-t border-line align-top [&>td]:px-4 [&>td]:py-2 [&>td]:break-words">
      <td>
        <span className="font-medium">{of.name}</span> {of.blocked && <Badge tone="bad">blocked</Badge>}
        {isPast(of.expires) && <Badge tone="warn">expired</Badge>}
        <code className="block text-xs text-ink-3">{of.key_name}</code>
      </td>
      <td className="text-ink-2">{of.user_id ?? 'nobody'}</td>
      <td className="text-ink-2">
        <Allowed names={of.models} none="all models" />
        <Allowed names={of.allowed_routes} before="on " />
        <Allowed names={of.allowed_ips} before="from " />
      </td>
      <td className="text-ink-2">{pace === '' ? 'none' : pace}</td>
      <td className="text-ink-2">{of.expires === null ? 'never' : <Moment at={of.expires} zone={tz} />}</td>
      <td className="text-ink-2">
        {of.last_active === undefined ? 'not known' : <LastUse at={of.last_active} zone={tz} />}
      </td>
      <td>
        <MoneyCell of={of} label={`Budget of ${of.name}`} />
      </td>
    </tr>
  );
}

function isPast(instant: string | null): boolean {
  return instant !== null && Date.parse(instant) <= nowMs();
}

const MOST_NAMES = 3;

type AllowedProps = { readonly names: readonly string[]; readonly before?: string; readonly none?: string };

/** What a key is held to; the first few, and all of them where the pointer rests. */
function Allowed({ names, before = '', none }: AllowedProps) {
  if (names.length === 0) return none === undefined ? null : <span className="block">{none}</span>;
  const more = names.length - MOST_NAMES;
  return (
    <span className="block" title={names.join('\n')}>
      {before}
      {names.slice(0, MOST_NAMES).join(', ')}
      {more > 0 && <span className="text-ink-3"> and {more} more</span>}
    </span>
  );
}

function LastUse({ at, zone }: { readonly at: string | null; readonly zone: string }) {
  return at === null ? 'never' : <Moment at={at} zone={zone} />;
}

function Moment({ at, zone }: { readonly at: string; readonly zone: string }) {
  return (
    <time dateTime={at} title={minuteIn(zone, Date.parse(at))}>
      {dateIn(zone, Date.parse(at))}
    </time>
  );
}
