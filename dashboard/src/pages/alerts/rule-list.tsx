import { useMutation, useQueryClient } from '@tanstack/react-query';
import { ALERTS_KEY, changeRule, deleteRule, muteRule, type AlertChannel, type AlertRule } from '../../api/alerts.ts';
import { useRight } from '../../api/session.ts';
import { useSearchState } from '../../search/use-search.ts';
import { nowMs } from '../../time/clock.ts';
import { minuteIn } from '../../time/zone.ts';
import { Badge } from '../../ui/badge.tsx';
import { Button } from '../../ui/button.tsx';
import { Nothing, Refusal, Section } from './form-parts.tsx';
import { RuleForm } from './rule-form.tsx';
import { ruleWords, typeLabel } from './rule-words.ts';

const MUTE_MS = 24 * 60 * 60 * 1000;

type RuleListProps = { readonly rules: readonly AlertRule[]; readonly channels: readonly AlertChannel[] };

export function RuleList({ rules, channels }: RuleListProps) {
  const mayChange = useRight('alerts.write');
  return (
    <Section id="rules-heading" title="Rules" action={mayChange && <RuleForm channels={channels} />}>
      {rules.length === 0 && <Nothing>No rules yet. A rule is looked at every minute.</Nothing>}
      <ul>
        {rules.map((rule) => (
          <RuleRow key={rule.id} rule={rule} channels={channels} />
        ))}
      </ul>
    </Section>
  );
}

type Change = 'mute' | 'unmute' | 'toggle' | 'delete';

function RuleRow({ rule, channels }: { readonly rule: AlertRule; readonly channels: readonly AlertChannel[] }) {
  const queryClient = useQueryClient();
  const mayChange = useRight('alerts.write');
  const [{ tz }] = useSearchState();
  const mutedUntilMs = Date.parse(rule.muted_until ?? '');
  const isMuted = mutedUntilMs > nowMs();
  const change = useMutation({
    mutationFn: (asked: Change) => changeOf(rule, asked),
    onSettled: () => queryClient.invalidateQueries({ queryKey: ALERTS_KEY }),
  });
  const names = channels.filter(({ id }) => rule.channels.includes(id)).map(({ name }) => name);
  return (
    <li className="border-t border-line text-[13px]">
      <div className="flex flex-wrap items-center gap-x-4 px-4 py-1.5">
        <span className="min-w-0 flex-1 basis-56">
          <span className="font-medium">{rule.name}</span> {!rule.enabled && <Badge>off</Badge>}
          {isMuted && <Badge tone="warn">muted until {minuteIn(tz, mutedUntilMs)}</Badge>}
          <span className="block text-ink-3">
            {typeLabel(rule.type)}
            {ruleWords(rule) !== '' && `: ${ruleWords(rule)}`}
          </span>
        </span>
        <span className="text-ink-2">{names.length === 0 ? 'only listed' : `to ${names.join(', ')}`}</span>
        {mayChange && (
          <span className="whitespace-nowrap">
            <RowButton
              name={rule.name}
              act={isMuted ? 'Unmute' : 'Mute for a day'}
              onClick={() => change.mutate(isMuted ? 'unmute' : 'mute')}
            />
            <RowButton
              name={rule.name}
              act={rule.enabled ? 'Turn off' : 'Turn on'}
              onClick={() => change.mutate('toggle')}
            />
            <RowButton name={rule.name} act="Delete" onClick={() => change.mutate('delete')} />
          </span>
        )}
      </div>
      <Refusal error={change.error} />
    </li>
  );
}

function changeOf(rule: AlertRule, asked: Change): Promise<void> {
  switch (asked) {
    case 'mute':
      return muteRule(rule.id, new Date(nowMs() + MUTE_MS).toISOString());
    case 'unmute':
      return muteRule(rule.id, null);
    case 'toggle':
      return changeRule(rule.id, { enabled: !rule.enabled });
    case 'delete':
      return deleteRule(rule.id);
  }
}

type RowButtonProps = { readonly name: string; readonly act: string; readonly onClick: () => void };

export function RowButton({ name, act, onClick }: RowButtonProps) {
  return (
    <Button look="quiet" onClick={onClick} aria-label={`${act}: ${name}`}>
      {act}
    </Button>
  );
}
