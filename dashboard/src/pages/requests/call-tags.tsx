import type { CallDetail } from '../../api/events.ts';

const PROVENANCE: Readonly<Record<string, string>> = {
  locked: 'locked by the key or team',
  declared: 'declared by the caller',
  default: 'default of the key or team',
};

/** What the call is attributed to, who said so, and which values lost. */
export function CallTags({ call }: { readonly call: CallDetail }) {
  const dimensions = Object.entries(call.tags);
  const valueless = [...call.paths.map((tag) => [tag, 'path']), ...call.labels.map((tag) => [tag, 'label'])];
  if (dimensions.length === 0 && valueless.length === 0)
    return <p className="text-[13px] text-ink-2">This call carries no tags.</p>;
  return (
    <>
      <ul className="divide-y divide-line border-y border-line text-[13px]">
        {dimensions.map(([key, value]) => (
          <TagRow key={key} name={`${key}:`} value={value} detail={detailOf(call, key)} />
        ))}
        {valueless.map(([tag = '', kind = '']) => (
          <TagRow key={`${kind} ${tag}`} name="" value={tag} detail={kind} />
        ))}
      </ul>
      {call.conflicts.length > 0 && (
        <div className="mt-3 rounded-md border border-warn-line bg-warn-soft px-3 py-2 text-[13px]">
          <p className="font-medium">Values that lost against a stronger source</p>
          <ul className="mt-1">
            {call.conflicts.map(({ key, value, source }) => (
              <li key={`${key} ${value} ${source}`} className="text-ink-2">
                {key}:{value} from {source.replaceAll('_', ' ')}
              </li>
            ))}
          </ul>
        </div>
      )}
      {call.request_tags.length > 0 && (
        <p className="mt-2 text-xs text-ink-3">
          As sent: <code className="font-mono break-words">{call.request_tags.join(', ')}</code>
        </p>
      )}
    </>
  );
}

/** Who said so; and where a key has too many values to count each, what was sent. */
function detailOf(call: CallDetail, key: string): string {
  const provenance = PROVENANCE[call.tag_provenance[key] ?? ''] ?? '';
  const sent = call.tags_overflow[key];
  return sent === undefined ? provenance : `sent as ${sent}, ${provenance}`;
}

type TagRowProps = { readonly name: string; readonly value: string; readonly detail: string };

function TagRow({ name, value, detail }: TagRowProps) {
  return (
    <li className="flex items-baseline gap-3 py-1.5">
      <span className="min-w-0 flex-1 break-words">
        <span className="text-ink-3">{name}</span>
        {value}
      </span>
      <span className="max-w-[60%] shrink-0 text-right text-xs break-words text-ink-3">{detail}</span>
    </li>
  );
}
