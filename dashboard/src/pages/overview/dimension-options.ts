import type { Dimensions } from '../../api/dimensions.ts';
import { formatCompact } from '../../money/quantity.ts';
import type { Option } from '../../ui/picker.tsx';

const BUILT_IN: readonly Option[] = [
  { value: 'entity', label: 'Entity' },
  { value: 'model', label: 'Model' },
  { value: 'provider', label: 'Provider' },
  { value: 'key', label: 'Key' },
  { value: 'status', label: 'Status' },
  { value: 'label', label: 'Label' },
  { value: 'path', label: 'Path' },
];

const TAG = 'tags.';

/** What the picker offers: the built-ins, then every tag key of the period, the one chosen always among them. */
export function dimensionOptions(dimensions: Dimensions | undefined, chosen: string): readonly Option[] {
  const tags = (dimensions?.data ?? []).filter((dimension) => dimension.group_by.startsWith(TAG));
  const known =
    tags.some((dimension) => dimension.group_by === chosen) || BUILT_IN.some((option) => option.value === chosen);
  return [
    ...BUILT_IN.map((option) => ({ ...option, group: 'Built in' })),
    ...tags.map((dimension) => tagOption(dimension.group_by, dimension.calls)),
    ...(known ? [] : [tagOption(chosen, undefined)]),
  ];
}

/** The name of a dimension where it stands alone: `Model`, `feature`. Tag keys are left as they are written. */
export function dimensionLabel(by: string): string {
  return by.startsWith(TAG) ? by.slice(TAG.length) : (BUILT_IN.find((option) => option.value === by)?.label ?? by);
}

/** The same within a sentence: `model`, `feature`. */
export function dimensionWord(by: string): string {
  return by.startsWith(TAG) ? by.slice(TAG.length) : by;
}

export function tagKeysOf(dimensions: Dimensions | undefined): readonly string[] {
  return (dimensions?.data ?? []).flatMap(({ group_by }) =>
    group_by.startsWith(TAG) ? [group_by.slice(TAG.length)] : [],
  );
}

function tagOption(by: string, calls: number | null | undefined): Option {
  const option = { value: by, label: dimensionLabel(by), group: 'Tags' };
  return typeof calls === 'number' ? { ...option, detail: `${formatCompact(calls)} calls` } : option;
}
