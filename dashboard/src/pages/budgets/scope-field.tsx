import { Plus, X } from 'lucide-react';
import { Button, IconButton } from '../../ui/button.tsx';
import { Choice, TextField } from './field.tsx';
import { ALL_CALLS, SUBJECTS, WHICH, type ScopeLine } from './scope-fields.ts';

type ScopeFieldProps = {
  readonly lines: readonly ScopeLine[];
  readonly onChange: (lines: readonly ScopeLine[]) => void;
};

/** Which calls: all of its lines hold. */
export function ScopeField({ lines, onChange }: ScopeFieldProps) {
  const replace = (at: number, line: ScopeLine): void => onChange(lines.map((one, nth) => (nth === at ? line : one)));
  return (
    <fieldset className="flex flex-col gap-1.5">
      <legend className="mb-1 text-xs text-ink-2">Which calls</legend>
      {lines.map((line, at) => (
        <div key={at} className="flex flex-wrap items-center gap-1.5">
          <Line line={line} nth={at + 1} onChange={(changed) => replace(at, changed)} />
          {lines.length > 1 && (
            <IconButton
              aria-label={`Remove condition ${at + 1}`}
              onClick={() => onChange(lines.filter((_, nth) => nth !== at))}
            >
              <X aria-hidden className="size-3.5" />
            </IconButton>
          )}
        </div>
      ))}
      {lines[0]?.subject !== 'all' && (
        <Button
          look="quiet"
          className="self-start"
          onClick={() => onChange([...lines, { ...ALL_CALLS, subject: 'model' }])}
        >
          <Plus aria-hidden className="size-3.5" />
          And
        </Button>
      )}
    </fieldset>
  );
}

type LineProps = { readonly line: ScopeLine; readonly nth: number; readonly onChange: (line: ScopeLine) => void };

function Line({ line, nth, onChange }: LineProps) {
  const { subject, key, which, value } = line;
  return (
    <>
      <Choice
        aria-label={`Condition ${nth}`}
        value={subject}
        options={SUBJECTS}
        onPick={(picked) => onChange({ ...line, subject: picked })}
      />
      {subject === 'tags' && (
        <TextField
          aria-label={`Tag of condition ${nth}`}
          required
          value={key}
          onChange={(event) => onChange({ ...line, key: event.target.value })}
          placeholder="customer"
          className="w-32"
        />
      )}
      {subject !== 'all' && subject !== 'label' && (
        <Choice
          aria-label={`Values of condition ${nth}`}
          value={which}
          options={WHICH}
          onPick={(picked) => onChange({ ...line, which: picked })}
        />
      )}
      {subject !== 'all' && (which === 'is' || subject === 'label') && (
        <TextField
          aria-label={`Value of condition ${nth}`}
          required
          value={value}
          onChange={(event) => onChange({ ...line, value: event.target.value })}
          placeholder={PLACEHOLDERS[subject] ?? 'value'}
          className="w-44"
        />
      )}
    </>
  );
}

const PLACEHOLDERS: Readonly<Record<string, string>> = {
  'key.id': 'alias or id',
  'key.team': 'growth',
  'key.owner': 'ann',
  tags: 'acme',
  label: 'US/California',
  model: 'gpt-5',
  provider: 'openai',
  route: 'fast',
};
