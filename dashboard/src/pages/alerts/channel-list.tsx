import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useState, type FormEvent } from 'react';
import { ALERTS_KEY, deleteChannel, makeChannel, testChannel, type AlertChannel } from '../../api/alerts.ts';
import { useRight } from '../../api/session.ts';
import { Badge } from '../../ui/badge.tsx';
import { Button } from '../../ui/button.tsx';
import { ShownOnce } from '../../ui/shown-once.tsx';
import { FIELD, Nothing, Refusal, Section, Select } from './form-parts.tsx';
import { RowButton } from './rule-list.tsx';

const KINDS = {
  webhook: { label: 'Webhook', asks: 'Address', hint: 'https://example.com/hook' },
  slack: { label: 'Slack', asks: 'Address', hint: 'https://hooks.slack.com/…' },
  email: { label: 'E-mail', asks: 'Addresses', hint: 'ada@example.com, bob@example.com' },
  pagerduty: { label: 'PagerDuty', asks: 'Integration key', hint: 'Integration key' },
} as const;

type Kind = keyof typeof KINDS;

export function ChannelList({ channels }: { readonly channels: readonly AlertChannel[] }) {
  const mayChange = useRight('alerts.write');
  const [secret, setSecret] = useState<string | null>(null);
  return (
    <Section id="channels-heading" title="Channels" action={mayChange && <ChannelForm onMade={setSecret} />}>
      {secret !== null && <ShownOnce title="Notifications are signed with this secret" secret={secret} />}
      {channels.length === 0 && <Nothing>No channels yet. Without one, alerts are only listed here.</Nothing>}
      <ul>
        {channels.map((channel) => (
          <ChannelRow key={channel.id} channel={channel} />
        ))}
      </ul>
    </Section>
  );
}

function ChannelForm({ onMade }: { readonly onMade: (secret: string | null) => void }) {
  const queryClient = useQueryClient();
  const [kind, setKind] = useState<Kind>('webhook');
  const [name, setName] = useState('');
  const [place, setPlace] = useState('');
  const making = useMutation({
    mutationFn: () => makeChannel({ kind, name: name.trim(), ...placeOf(kind, place.trim()) }),
    onSuccess: async (secret) => {
      onMade(secret);
      setName('');
      setPlace('');
      await queryClient.invalidateQueries({ queryKey: ALERTS_KEY });
    },
  });
  const submit = (event: FormEvent): void => {
    event.preventDefault();
    making.mutate();
  };
  const pick = (picked: string): void => {
    if (isKind(picked)) setKind(picked);
  };
  return (
    <form aria-label="Make a channel" onSubmit={submit} className="flex flex-wrap items-center gap-2">
      <Select label="Kind" value={kind} onChange={pick}>
        {Object.entries(KINDS).map(([value, { label }]) => (
          <option key={value} value={value}>
            {label}
          </option>
        ))}
      </Select>
      <input
        aria-label="Name of the channel"
        required
        value={name}
        onChange={(event) => setName(event.target.value)}
        placeholder="Name"
        autoComplete="off"
        className={`${FIELD} w-36`}
      />
      <input
        aria-label={KINDS[kind].asks}
        required
        value={place}
        onChange={(event) => setPlace(event.target.value)}
        placeholder={KINDS[kind].hint}
        autoComplete="off"
        className={`${FIELD} w-64`}
      />
      <Button type="submit" disabled={making.isPending}>
        Make the channel
      </Button>
      {making.error !== null && (
        <p role="alert" className="w-full text-[13px] text-bad">
          {making.error.message}
        </p>
      )}
    </form>
  );
}

function isKind(text: string): text is Kind {
  return Object.hasOwn(KINDS, text);
}

function placeOf(kind: Kind, text: string): Readonly<Record<string, unknown>> {
  if (kind === 'email') return { to: text.split(/[\s,]+/) };
  return kind === 'pagerduty' ? { routing_key: text } : { url: text };
}

function ChannelRow({ channel }: { readonly channel: AlertChannel }) {
  const queryClient = useQueryClient();
  const mayChange = useRight('alerts.write');
  const refresh = (): Promise<void> => queryClient.invalidateQueries({ queryKey: ALERTS_KEY });
  const test = useMutation({ mutationFn: () => testChannel(channel.id), onSettled: refresh });
  const remove = useMutation({ mutationFn: () => deleteChannel(channel.id), onSettled: refresh });
  return (
    <li className="border-t border-line text-[13px]">
      <div className="flex flex-wrap items-center gap-x-4 px-4 py-1.5">
        <span className="min-w-0 flex-1 basis-48">
          <span className="font-medium">{channel.name}</span>{' '}
          <Badge>{isKind(channel.kind) ? KINDS[channel.kind].label : channel.kind}</Badge>
        </span>
        <span className="text-ink-3">{channel.url ?? channel.to?.join(', ')}</span>
        {test.data !== undefined && (
          <output className={test.data.ok ? 'text-good' : 'text-bad'}>
            {test.data.ok ? 'It arrived' : 'It did not arrive'}
            {test.data.status === null ? '' : ` (${test.data.status})`}
            {test.data.ok ? '' : `: ${test.data.answer}`}
          </output>
        )}
        {mayChange && (
          <span className="whitespace-nowrap">
            <RowButton name={channel.name} act="Test" onClick={() => test.mutate()} />
            <RowButton name={channel.name} act="Delete" onClick={() => remove.mutate()} />
          </span>
        )}
      </div>
      <Refusal error={test.error ?? remove.error} />
    </li>
  );
}
