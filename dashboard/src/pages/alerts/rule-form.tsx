import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useState, type FormEvent } from 'react';
import { ALERTS_KEY, makeRule, type AlertChannel } from '../../api/alerts.ts';
import { Button } from '../../ui/button.tsx';
import { FIELD, Select } from './form-parts.tsx';
import { RULE_TYPES, typeLabel, type RuleField } from './rule-words.ts';

const WINDOWS = ['hour', 'day', 'week', 'month'] as const;

const ASKED: Readonly<Record<Exclude<RuleField, 'window'>, { readonly label: string; readonly hint: string }>> = {
  amount_usd: { label: 'Limit in $', hint: '$ limit' },
  percent: { label: 'Percent', hint: '%' },
  minimum_usd: { label: 'At least $', hint: '$ at least' },
  for_each: { label: 'For each', hint: 'For each: tags.customer' },
};

type RuleFormProps = { readonly channels: readonly AlertChannel[] };

/** A new rule with what its type needs; everything else has its default, and the API for the rest. */
export function RuleForm({ channels }: RuleFormProps) {
  const queryClient = useQueryClient();
  const [name, setName] = useState('');
  const [type, setType] = useState<string>(RULE_TYPES[0].type);
  const [window, setWindow] = useState<string>('day');
  const [channel, setChannel] = useState('');
  const [values, setValues] = useState<Readonly<Record<string, string>>>({});
  const fields: readonly RuleField[] = RULE_TYPES.find((one) => one.type === type)?.fields ?? [];
  const making = useMutation({
    mutationFn: () => makeRule({ name: name.trim(), type, channels: channel === '' ? [] : [channel], ...asked() }),
    onSuccess: async () => {
      setName('');
      setValues({});
      await queryClient.invalidateQueries({ queryKey: ALERTS_KEY });
    },
  });

  function asked(): Readonly<Record<string, unknown>> {
    const given = fields.map((field): readonly [string, unknown] => {
      const text = values[field]?.trim() ?? '';
      if (field === 'window') return [field, window];
      if (field === 'percent') return [field, Number(text)];
      return [field, text];
    });
    return Object.fromEntries(given.filter(([, value]) => value !== ''));
  }

  const submit = (event: FormEvent): void => {
    event.preventDefault();
    making.mutate();
  };
  return (
    <form aria-label="Make a rule" onSubmit={submit} className="flex flex-wrap items-center gap-2">
      <input
        aria-label="Name of the rule"
        required
        value={name}
        onChange={(event) => setName(event.target.value)}
        placeholder="Name"
        autoComplete="off"
        className={`${FIELD} w-40`}
      />
      <Select label="Type" value={type} onChange={setType}>
        {RULE_TYPES.map((one) => (
          <option key={one.type} value={one.type}>
            {typeLabel(one.type)}
          </option>
        ))}
      </Select>
      {fields.map((field) =>
        field === 'window' ? (
          <Select key={field} label="Window" value={window} onChange={setWindow}>
            {WINDOWS.map((one) => (
              <option key={one} value={one}>
                {one}
              </option>
            ))}
          </Select>
        ) : (
          <input
            key={field}
            aria-label={ASKED[field].label}
            required={field !== 'for_each'}
            value={values[field] ?? ''}
            onChange={(event) => setValues({ ...values, [field]: event.target.value })}
            placeholder={ASKED[field].hint}
            autoComplete="off"
            className={`${FIELD} ${field === 'for_each' ? 'w-44' : 'w-24'}`}
          />
        ),
      )}
      <Select label="Channel" value={channel} onChange={setChannel}>
        <option value="">only list it</option>
        {channels.map(({ id, name: title }) => (
          <option key={id} value={id}>
            {title}
          </option>
        ))}
      </Select>
      <Button type="submit" look="primary" disabled={making.isPending}>
        Make the rule
      </Button>
      {making.error !== null && (
        <p role="alert" className="w-full text-[13px] text-bad">
          {making.error.message}
        </p>
      )}
    </form>
  );
}
