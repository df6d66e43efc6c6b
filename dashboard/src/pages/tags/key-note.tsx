import { useMutation, useQueryClient } from '@tanstack/react-query';
import { Pencil } from 'lucide-react';
import { useState, type FormEvent } from 'react';
import { useRight } from '../../api/session.ts';
import { describeTagKey, type TagKeyPage } from '../../api/tags.ts';
import { Button } from '../../ui/button.tsx';

type Note = Pick<TagKeyPage, 'description' | 'owner'>;

/** What the key means and whose it is, in people's words; they explain reports and decide nothing. */
export function KeyNote({ tag }: { readonly tag: TagKeyPage }) {
  const [editing, setEditing] = useState(false);
  const mayEdit = useRight('tags.write');
  if (editing) return <NoteForm tag={tag} onDone={() => setEditing(false)} />;
  return (
    <section
      aria-label="About this key"
      className="flex flex-wrap items-start gap-x-6 gap-y-2 rounded-lg border border-line bg-surface px-4 py-3 shadow-card"
    >
      <div className="min-w-0 flex-1 basis-72">
        <h2 className="text-xs text-ink-2">Description</h2>
        <p
          className={`mt-0.5 max-w-prose break-words whitespace-pre-line ${tag.description === null ? 'text-ink-3' : ''}`}
        >
          {tag.description ?? 'What this key stands for, and which values it takes. Nobody has said so yet.'}
        </p>
      </div>
      <div className="min-w-0 basis-36">
        <h2 className="text-xs text-ink-2">Owner</h2>
        <p className={`mt-0.5 break-words ${tag.owner === null ? 'text-ink-3' : ''}`}>{tag.owner ?? 'nobody'}</p>
      </div>
      {mayEdit && (
        <Button className="ml-auto" onClick={() => setEditing(true)}>
          <Pencil aria-hidden className="size-3.5" />
          Edit
        </Button>
      )}
    </section>
  );
}

type NoteFormProps = { readonly tag: TagKeyPage; readonly onDone: () => void };

const FIELD = 'mt-1 w-full rounded-md border border-line-strong bg-surface px-2.5 text-ink shadow-card';

function NoteForm({ tag, onDone }: NoteFormProps) {
  const [description, setDescription] = useState(tag.description ?? '');
  const [owner, setOwner] = useState(tag.owner ?? '');
  const queryClient = useQueryClient();
  const save = useMutation({
    mutationFn: (note: Note) => describeTagKey(tag.key, note),
    onSuccess: async () => {
      await queryClient.invalidateQueries({ queryKey: ['tags'] });
      onDone();
    },
  });
  const submit = (event: FormEvent): void => {
    event.preventDefault();
    save.mutate({ description: textOrNull(description), owner: textOrNull(owner) });
  };
  return (
    <form
      aria-label="About this key"
      onSubmit={submit}
      className="grid gap-3 rounded-lg border border-line bg-surface px-4 py-3 shadow-card md:grid-cols-[1fr_240px]"
    >
      <label className="text-xs text-ink-2">
        Description
        <textarea
          rows={3}
          value={description}
          onChange={(event) => setDescription(event.target.value)}
          placeholder="What this key stands for, and which values it takes"
          className={`${FIELD} py-1.5 text-[13px]`}
        />
      </label>
      <label className="text-xs text-ink-2">
        Owner
        <input
          value={owner}
          onChange={(event) => setOwner(event.target.value)}
          placeholder="A person or a team"
          autoComplete="off"
          className={`${FIELD} h-8 text-[13px]`}
        />
      </label>
      <div className="flex flex-wrap items-center gap-2 md:col-span-2">
        <Button type="submit" look="primary" disabled={save.isPending}>
          {save.isPending ? 'Saving…' : 'Save'}
        </Button>
        <Button look="quiet" onClick={onDone}>
          Cancel
        </Button>
        {save.error !== null && (
          <p role="alert" className="text-[13px] text-bad">
            {save.error.message}
          </p>
        )}
      </div>
    </form>
  );
}

function textOrNull(text: string): string | null {
  return text.trim() === '' ? null : text.trim();
}
